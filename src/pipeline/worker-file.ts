import { workerData } from 'node:worker_threads';
import { IoFault } from '../io/fault.js';
import { OpenFile } from '../io/open-file.js';
import { readAheadEnd } from './chunk.js';
import { finishedEnd } from './finished-end.js';
import { LaneCancelled, type LaneMemory, LaneWriter } from './lane.js';
import { ReadAhead } from './read-ahead.js';
import type { Readable } from './scan.js';
import { Window } from './window.js';
import type { PoolData, WorkerAnswer, WorkerTask } from './worker-task.js';

const TRANSIENT: ReadonlySet<string> = new Set(['ENOENT', 'ENOTDIR', 'ESTALE']);

let window: Window | undefined;
let lastTask: Promise<unknown> = Promise.resolve();

/** This thread's own window of this size, reused from task to task. */
export function ownWindow(windowBytes: number): Window {
  if (window?.size !== windowBytes) window = new Window(windowBytes);
  return window;
}

/**
 * Runs in a worker: opens the task's file afresh, lets `use` make its facts, and closes it. Its reads begin at `from`. A worker receives its next
 * task while it does one, so that it need not wait for the main thread, which may be in a write. It does one task at a
 * time.
 */
export async function withFile<Facts>(
  task: WorkerTask,
  from: number,
  use: (file: Readable, lane: LaneWriter) => Promise<Facts>,
): Promise<WorkerAnswer<Facts>> {
  const answer = lastTask.then(() => runTask(task, from, use));
  lastTask = answer.catch(() => {});
  return answer;
}

async function runTask<Facts>(
  task: WorkerTask,
  from: number,
  use: (file: Readable, lane: LaneWriter) => Promise<Facts>,
): Promise<WorkerAnswer<Facts>> {
  const { part, path, port } = task;
  const lane = new LaneWriter(laneOf(task), () => port.postMessage(undefined));
  let file: OpenFile | undefined;
  let ahead: ReadAhead | undefined;
  try {
    const opened = lane.reading(() => OpenFile.openSync(path));
    file = opened;
    const { device, inode } = opened.facts();
    if (device !== task.device || inode !== task.inode) return { kind: 'exchanged' };
    const readBytes: Readable['readBytes'] = (into, position) =>
      lane.reading(() => opened.read(into, into.length, position));
    const reads = new ReadAhead({
      now: (into, length, position) => lane.reading(() => opened.read(into, length, position)),
      later: (into, length, position) => opened.readLater(into, length, position),
      wait: (count) => lane.waiting(count),
      limit: part.limit,
      from,
      until: readAheadEnd(part),
      finishedEnd: async (requested) => {
        const { finishedEnd: known = 0, limit } = part;
        return known >= requested ? known : ((await finishedEnd({ size: limit, readBytes })) ?? known);
      },
    });
    ahead = reads;
    const readable: Readable = {
      path,
      size: part.limit,
      read: (into, length, position) => reads.read(into, length, position),
      readBytes,
    };
    const facts = await use(readable, lane);
    return { kind: 'facts', facts, slots: lane.handedOver };
  } catch (error) {
    if (error instanceof LaneCancelled) return { kind: 'cancelled' };
    if (!(error instanceof IoFault)) throw error;
    const { operation, code, detail, position } = error;
    // A pack renames: for an instant nothing is at the path, or a handle is stale. The next fresh opening waits for it.
    if (operation === 'open' && TRANSIENT.has(code)) return { kind: 'exchanged' };
    return { kind: 'fault', operation, path: error.path, code, detail, position };
  } finally {
    await ahead?.settle();
    file?.closeQuietly();
    port.close();
  }
}

function laneOf({ lane }: WorkerTask): LaneMemory {
  const memory = (workerData as PoolData).lanes[lane];
  if (!memory) throw new Error(`there is no lane ${lane}`);
  return memory;
}
