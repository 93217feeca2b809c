/**
 * What stands where a blob should be cannot be one: a directory, a link, a pipe; or a directory on the way is a link
 * that leads out of the tree. Nothing behind it is read or written.
 */
export class NotABlob extends Error {
  override readonly name = 'NotABlob';
  constructor(
    readonly path: string,
    what: string,
    readonly hint: string,
  ) {
    super(`${path} is ${what}`);
  }
}

/** The master's blob directory is not there, or an empty directory is in its place: it may come back. */
export class BlobsUnreachable extends Error {
  override readonly name = 'BlobsUnreachable';
  readonly hint =
    "is the master's blob directory mounted, and the first one of --blobs the right one? The next run tries again";
}
