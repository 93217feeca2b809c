/** What the scripts of the cluster know of each storage. */
export const SHELL_SUFFIXES = ['data', 'peer', 'blobs', 'peer_blobs', 'status_file'] as const;

/** The name of a variable of a shell, which has no "-" in it. */
export function shellVariable(storage: string, suffix: (typeof SHELL_SUFFIXES)[number]): string {
  return `storage_${storage.replaceAll('-', '_')}_${suffix}`;
}
