import { type DiskOperation, observeDisk } from '../../src/io/observer.js';

/** The disk operations of `run` in this thread, in order. */
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
