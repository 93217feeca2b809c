import { OpenFile } from './open-file.js';

/** Opens a file of the slave's side for reading, and closes it when `use` has finished. */
export async function withFile<T>(path: string, use: (file: OpenFile) => T | Promise<T>): Promise<T> {
  const file = OpenFile.openHere(path);
  try {
    return await use(file);
  } finally {
    file.closeQuietly();
  }
}
