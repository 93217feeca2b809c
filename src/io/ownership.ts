export interface Ownership {
  readonly mode: number;
  /** Unchanged where this process may not change owners. */
  readonly uid?: number;
  readonly gid?: number;
}

/** The owner that a squashing NFS server or an unmapped id shows. */
const NOBODY = 65_534;
/** No set-id or sticky bits, which mean nothing on data, and no write permission for others. */
const COPIED_MODE = 0o775;

/** Mode and owner of a copy: the original's, or `here` where the original shows no owner. */
export function copiedOwnership(
  { mode, uid, gid }: Required<Ownership>,
  here: { readonly uid: number; readonly gid: number },
): Required<Ownership> {
  return { mode: mode & COPIED_MODE, uid: uid === NOBODY ? here.uid : uid, gid: gid === NOBODY ? here.gid : gid };
}
