import fs from 'node:fs';

/**
 * Whether a process may have the file at `path` open. True where the system does not show it (another user's process).
 */
export function mayHaveOpen(pid: string, path: string): boolean {
  const directory = `/proc/${pid}/fd`;
  let descriptors: string[];
  try {
    descriptors = fs.readdirSync(directory);
  } catch (error) {
    return !(error instanceof Error && 'code' in error && error.code === 'ENOENT' && fs.existsSync('/proc/self/fd'));
  }
  return descriptors.some((descriptor) => {
    try {
      return fs.readlinkSync(`${directory}/${descriptor}`) === path;
    } catch {
      // Closed in the meantime.
      return false;
    }
  });
}
