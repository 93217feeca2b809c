import fs from 'node:fs';

/** The calls of src/io that run in the thread pool, so that a hanging mount cannot stop the program. */
const IN_POOL = ['open', 'read', 'stat', 'fstat', 'fsync', 'close'] as const;

type Call = (...args: unknown[]) => unknown;
type Calls = Record<string, Call>;

/**
 * Calls `run` while the thread pool is not used: each of its calls is made at once, and its result comes in the next tick. A
 * walk to another thread and back costs more than the call, and the order of the calls is the same. Not for a run that is
 * recorded: there it counts what happens between the begin of a call and its end. Errors carry no stack, which nobody sees.
 */
export async function atOnce<T>(run: () => Promise<T>): Promise<T> {
  const calls = fs as unknown as Calls;
  const pool = IN_POOL.map((name) => [name, calls[name] as Call] as const);
  for (const name of IN_POOL) {
    const call = calls[`${name}Sync`] as Call;
    calls[name] = (...args) => {
      const answer = args.pop() as Call;
      try {
        process.nextTick(answer, null, call(...args));
      } catch (error) {
        process.nextTick(answer, error);
      }
    };
  }
  const promises = fs.promises as unknown as Calls;
  const { open, readdir } = promises;
  promises.readdir = async (...args) => (fs.readdirSync as Call)(...args);
  promises.open = async (...args) => openedDirectory((fs.openSync as Call)(...args) as number);
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    return await run();
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
    for (const [name, call] of pool) calls[name] = call;
    Object.assign(promises, { open, readdir });
  }
}

/** All that src/io does with a handle. */
function openedDirectory(fd: number) {
  return { sync: async () => fs.fsyncSync(fd), close: async () => fs.closeSync(fd) };
}
