import { BackwardReader } from '../filestorage/backward.js';
import { MAGIC_LENGTH } from '../filestorage/layout.js';
import { ZERO_TID } from '../filestorage/tid.js';
import { OpenFile } from '../io/open-file.js';
import { readableFile } from '../pipeline/scan.js';
import type { TermLine } from '../standby/role.js';

/** Whether nothing was committed to the file since this term began: it ends where it did then, with the same transaction. */
export async function isUnused(path: string, { position, tid }: TermLine): Promise<boolean> {
  const file = OpenFile.openHereIfThere(path);
  if (!file) return false;
  try {
    const readable = readableFile(file);
    if (readable.size !== position) return false;
    if (position === MAGIC_LENGTH) return tid === ZERO_TID;
    return (await new BackwardReader(readable).endingAt(position))?.tid === tid;
  } finally {
    file.closeQuietly();
  }
}
