import { IoFault } from '../io/fault.js';
import { OpenFile } from '../io/open-file.js';
import type { ReadDeadline } from './read-deadline.js';

/**
 * The text of a small file on the master's side, whose mount may hang; undefined when there is none. A fault other than
 * a read that was given up is a problem, not an error.
 */
export async function readSmallTextLater(
  path: string,
  limit: number,
  deadline: ReadDeadline,
): Promise<string | { readonly problem: string; readonly fault?: IoFault } | undefined> {
  let file: OpenFile | undefined;
  try {
    file = await deadline.wait(OpenFile.openToRead(path), 'open', path);
    const { size, kind } = await deadline.wait(file.factsLater(), 'fstat', path);
    if (kind !== 'file' || size > limit)
      return { problem: kind === 'file' ? `it has ${size} bytes` : `it is a ${kind}` };
    const bytes = new Uint8Array(size);
    const length = await deadline.wait(file.readLater(bytes, size, 0), 'read', path);
    return Buffer.from(bytes.subarray(0, length)).toString('utf8');
  } catch (error) {
    if (!(error instanceof IoFault) || error.code === 'ETIMEDOUT') throw error;
    return error.code === 'ENOENT' || error.code === 'ENOTDIR' ? undefined : { problem: error.message, fault: error };
  } finally {
    file?.closeWhenIdle();
  }
}
