import { type DiskOperation, observeDisk } from '../../src/io/observer.js';

/** What `run` changes on the disk from this thread, in its order. */
export async function operationsDuring(run: () => Promise<unknown>): Promise<DiskOperation[]> {
  const operations: DiskOperation[] = [];
  observeDisk((operation) => operations.push(operation));
  try {
    await run();
  } finally {
    observeDisk(undefined);
  }
  return operations;
}
