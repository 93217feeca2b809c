import { IoFault } from './fault.js';
import { OpenFile } from './open-file.js';

const MAGICS: readonly string[] = ['FS21', 'FS30'];
const MAGIC_LENGTH = 4;

/** Whether there is a Data.fs, by its first bytes. A symbolic link is none, whatever it leads to. */
export function isDataFile(path: string): boolean {
  const file = openIfReadable(path);
  if (!file) return false;
  try {
    const bytes = Buffer.alloc(MAGIC_LENGTH);
    return (
      file.facts().kind === 'file' && MAGICS.includes(bytes.toString('latin1', 0, file.read(bytes, MAGIC_LENGTH, 0)))
    );
  } finally {
    file.close();
  }
}

/** To be called before a text replaces what is at a path that a person has named: by mistake it may be a Data.fs. */
export function refuseDataFile(path: string): void {
  if (isDataFile(path)) throw new IoFault('replace', path, 'EDATA', 'it is a Data.fs, and no text');
}

function openIfReadable(path: string): OpenFile | undefined {
  try {
    return OpenFile.openHereIfThere(path);
  } catch (error) {
    if (error instanceof IoFault) return undefined;
    throw error;
  }
}
