import * as main from 'node:test';
import { isMainThread, type MessagePort, parentPort, Worker, workerData } from 'node:worker_threads';

/**
 * `describe`, `it`, `before` and `after` for tests that await very often: they run in a worker thread. node:test watches every
 * promise of its own thread, which costs such tests a third of their time. The file is loaded in both threads, and its tests
 * have the same numbers in both: the main thread reports, and asks the worker to run each. One `describe` a file.
 */
export interface Context {
  diagnostic(line: string): void;
}

type Test = (t: Context) => void | Promise<void>;
type Hook = () => unknown;
type Answer = { readonly line: string } | { readonly done: true } | { readonly failed: unknown };

const WORKER = 'runs the tests of its parent';
const port: MessagePort | undefined = !isMainThread && workerData === WORKER && parentPort ? parentPort : undefined;

const tests: { readonly name: string; readonly body: Test }[] = [];
const [first, last]: [Hook[], Hook[]] = [[], []];

/** `file`: the import.meta.url of the caller. */
export function describe(file: string, name: string, define: () => void): void {
  if (port) {
    define();
    runAsAsked(port);
    return;
  }
  main.describe(name, () => {
    define();
    let worker: Runner;
    main.before(() => {
      worker = new Runner(file);
    });
    for (const [number, test] of tests.entries()) main.it(test.name, (t) => worker.run(number, t as main.TestContext));
    main.after(() => worker.run('end', { diagnostic: () => {} }));
  });
}

export function it(name: string, body: Test): void {
  tests.push({ name, body });
}

export function before(hook: Hook): void {
  first.push(hook);
}

export function after(hook: Hook): void {
  last.push(hook);
}

/** The worker: a request is the number of a test, or `end`. */
function runAsAsked(of: MessagePort): void {
  let begun: Promise<void> | undefined;
  const run = async (asked: number | 'end'): Promise<Answer> => {
    try {
      if (asked === 'end') {
        if (begun) await all(last);
      } else {
        begun ??= all(first);
        await begun;
        await tests[asked]?.body({ diagnostic: (line) => of.postMessage({ line } satisfies Answer) });
      }
      return { done: true };
    } catch (failed) {
      return { failed };
    }
  };
  of.on('message', async (asked: number | 'end') => {
    of.postMessage(await run(asked));
    if (asked === 'end') of.close();
  });
}

async function all(hooks: readonly Hook[]): Promise<void> {
  for (const hook of hooks) await hook();
}

/** The main thread's side. */
class Runner {
  private readonly worker: Worker;
  private onAnswer: (answer: Answer) => void = () => {};

  constructor(file: string) {
    this.worker = new Worker(new URL(file), { workerData: WORKER });
    this.worker.on('message', (answer: Answer) => this.onAnswer(answer));
    this.worker.on('error', (failed) => this.onAnswer({ failed }));
    this.worker.on('exit', () => this.onAnswer({ failed: new Error('the worker has ended') }));
  }

  run(asked: number | 'end', t: Context): Promise<void> {
    return new Promise((resolve, reject) => {
      this.onAnswer = (answer) => {
        if ('line' in answer) t.diagnostic(answer.line);
        else if ('failed' in answer) reject(answer.failed);
        else resolve();
      };
      this.worker.postMessage(asked);
    });
  }
}
