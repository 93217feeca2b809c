import { OpenFile } from './open-file.js';

/** Opens a file of this machine for reading, and closes it when `use` has ended. */
export async function withFile<T>(path: string, use: (file: OpenFile) => T | Promise<T>): Promise<T> {
  const file = OpenFile.openHere(path);
  try {
    return await use(file);
  } finally {
    file.closeQuietly();
  }
}
