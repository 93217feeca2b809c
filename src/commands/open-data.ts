import { MAGIC_LENGTH, magicOf } from '../filestorage/layout.js';
import { Master } from '../pipeline/master.js';
import type { ReadDeadline } from '../pipeline/read-deadline.js';
import { PathMistake } from '../standby/paths.js';

/** Opens a Data.fs that is only read. Throws PathMistake for anything else. */
export async function openData(path: string, deadline: ReadDeadline): Promise<Master> {
  const hint = 'name a Data.fs of ZODB, or the directory that holds one';
  const file = await Master.open(path, deadline);
  if (!file) throw new PathMistake(`${path} does not exist`, hint);
  const magic = new Uint8Array(MAGIC_LENGTH);
  const isFile = file.facts.kind === 'file';
  if (isFile && (await file.readBytes(magic, 0)) === MAGIC_LENGTH && magicOf(magic) !== undefined) return file;
  file.close();
  if (!isFile) throw new PathMistake(`${path} is a ${file.facts.kind}, not a Data.fs`, hint);
  throw new PathMistake(`${path} is not a Data.fs: it does not begin with FS21 or FS30`, hint);
}
