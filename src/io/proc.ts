import fs from 'node:fs';

/** The names in a directory of /proc; none where its process has ended or belongs to another user. */
export function listOrNothing(directory: string): string[] {
  try {
    return fs.readdirSync(directory);
  } catch {
    return [];
  }
}

/** Where a link of /proc leads to; undefined where the system does not show it. */
export function readLinkOrNothing(path: string): string | undefined {
  try {
    return fs.readlinkSync(path);
  } catch {
    return undefined;
  }
}
