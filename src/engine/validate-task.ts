import type { MessagePort } from 'node:worker_threads';
import { IoFault } from '../io/fault.js';
import { OpenFile } from '../io/open-file.js';
import { type ChunkFacts, type ChunkTask, readChunk } from './chunk.js';
import { LaneCancelled, type LaneMemory, LaneWriter, type SlotKind } from './lane.js';
import { ReadAhead } from './read-ahead.js';
import { RecordTape } from './record-tape.js';
import { Window } from './window.js';

/** What a worker is given: a chunk of a file, and the lane to hand over by what is wanted of it. */
export interface ValidateTask {
  readonly path: string;
  readonly device: string;
  readonly inode: string;
  readonly chunk: ChunkTask;
  readonly lane: LaneMemory;
  readonly port: MessagePort;
  readonly windowBytes: number;
  readonly wantsBytes: boolean;
  readonly wantsRecords: boolean;
}

/** Tells the main thread of a filled slot. */
export interface Filled {
  readonly length: number;
  readonly kind: SlotKind;
}

/** Errors do not cross threads with their class, so a worker's answer is a value. */
export type ValidateAnswer =
  | { readonly kind: 'facts'; readonly facts: ChunkFacts; readonly slots: number }
  | { readonly kind: 'cancelled' }
  | { readonly kind: 'exchanged' }
  | {
      readonly kind: 'fault';
      readonly operation: string;
      readonly path: string;
      readonly code: string;
      readonly detail: string;
      readonly position: number | undefined;
    };

const TRANSIENT: ReadonlySet<string> = new Set(['ENOENT', 'ENOTDIR', 'ESTALE']);

let window: Window | undefined;

/** Runs in a worker: opens the file afresh, reads and validates the chunk, and hands on its bytes. */
export async function validate(task: ValidateTask): Promise<ValidateAnswer> {
  const { chunk, port, windowBytes } = task;
  if (window?.size !== windowBytes) window = new Window(windowBytes);
  let file: OpenFile | undefined;
  let ahead: ReadAhead | undefined;
  try {
    const lane = new LaneWriter(task.lane, (length, kind) => port.postMessage({ length, kind } satisfies Filled));
    const tape = task.wantsRecords ? new RecordTape(task.lane.slotBytes, (piece) => lane.putRecords(piece)) : undefined;
    const opened = lane.reading(() => OpenFile.openSync(task.path));
    file = opened;
    const { device, inode } = opened.facts();
    if (device !== task.device || inode !== task.inode) return { kind: 'exchanged' };
    const reads = new ReadAhead({
      now: (into, length, position) => lane.reading(() => opened.read(into, length, position)),
      later: (into, length, position) => opened.readLater(into, length, position),
      wait: (count) => lane.waiting(count),
      limit: chunk.limit,
      until: chunk.cutAt,
    });
    ahead = reads;
    const facts = await readChunk(
      chunk,
      window,
      (into, length, position) => reads.read(into, length, position),
      (bytes) => {
        if (task.wantsBytes) lane.put(bytes);
      },
      tape?.events,
    );
    lane.flush();
    tape?.flush();
    return { kind: 'facts', facts, slots: lane.handedOver };
  } catch (error) {
    if (error instanceof LaneCancelled) return { kind: 'cancelled' };
    // A pack renames: for an instant nothing is at the path, or a handle is stale. Whoever opens it afresh waits for it.
    if (error instanceof IoFault && error.operation === 'open' && TRANSIENT.has(error.code))
      return { kind: 'exchanged' };
    if (error instanceof IoFault) {
      const { operation, path, code, detail, position } = error;
      return { kind: 'fault', operation, path, code, detail, position };
    }
    throw error;
  } finally {
    await ahead?.settle();
    file?.closeQuietly();
    port.close();
  }
}
