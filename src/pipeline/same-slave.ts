import { IoFault } from '../io/fault.js';
import { OpenFile } from '../io/open-file.js';

/** Opens the slave for writing; ESTALE where it is not the file any more that this run has looked at. */
export function openToWrite(path: string, knownInode: string | undefined): OpenFile {
  const file = OpenFile.openToWrite(path);
  if (knownInode === undefined || file.facts().inode === knownInode) return file;
  file.closeQuietly();
  throw new IoFault('open', path, 'ESTALE', 'the slave was exchanged while this run looked at it');
}
