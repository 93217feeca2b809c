/** `host:path` as rsync and scp accept it, with or without a user, the host as a name or an address; and URLs. */
const ELSEWHERE = /^(?:([^/:@\s]+)@)?(\[[^/\s\]]+\]|[^/:@\s]+):(.*)$/s;

/** What to suggest for a path on another machine. */
export interface Elsewhere {
  /** The part before the first slash. If it exists here, the path is a local one after all. */
  readonly first: string;
  readonly mountHint: string;
}

/** Whether a given path looks like one on another machine. */
export function elsewhere(given: string): Elsewhere | undefined {
  const match = ELSEWHERE.exec(given);
  if (!match) return undefined;
  const [, , host, path = ''] = match;
  const remote = path.startsWith('//') ? 'HOST:/PATH' : given;
  const sshfs = `sshfs -o ro '${remote}' /mnt/m1`;
  const nfs = `mount -t nfs -o ro,soft '${path.startsWith('//') ? remote : `${host}:${path}`}' /mnt/m1`;
  const isAbsolute = path.startsWith('/');
  return {
    first: given.split('/')[0] ?? given,
    mountHint: `mount the directory here, for example: ${isAbsolute ? `${nfs}, or ` : ''}${sshfs}; then name /mnt/m1 in the place of ${given}`,
  };
}
