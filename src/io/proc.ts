import fs from 'node:fs';

/** The names in a directory of /proc; none where its process has ended or belongs to another user. */
export function listOrNothing(directory: string): string[] {
  try {
    return fs.readdirSync(directory);
  } catch {
    return [];
  }
}
