import type { MessagePort } from 'node:worker_threads';
import { IoFault } from '../io/fault.js';
import { OpenFile } from '../io/open-file.js';
import { inspectPiece, type PieceFacts, type PieceTask } from './inspect-piece.js';
import { LaneCancelled, type LaneMemory, LaneWriter } from './lane.js';
import { PieceEncoder } from './piece-stream.js';
import { Window } from './window.js';

/** What a worker is given: a piece of a file, and the lane to tell of its records by. */
export interface InspectTask {
  readonly path: string;
  readonly device: string;
  readonly inode: string;
  readonly piece: PieceTask;
  readonly lane: LaneMemory;
  readonly port: MessagePort;
  readonly windowBytes: number;
}

/** Errors do not cross threads with their class, so a worker's answer is a value. */
export type InspectAnswer =
  /** `told`: bytes handed over by the lane. */
  | { readonly kind: 'facts'; readonly facts: PieceFacts; readonly told: number }
  | { readonly kind: 'cancelled' | 'exchanged' }
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

/** Runs in a worker: opens the file afresh and inspects the piece. */
export async function inspect(task: InspectTask): Promise<InspectAnswer> {
  const { piece, port, windowBytes, path } = task;
  if (window?.size !== windowBytes) window = new Window(windowBytes);
  let opened: OpenFile | undefined;
  try {
    const lane = new LaneWriter(task.lane, (length) => port.postMessage(length));
    const file = lane.reading(() => OpenFile.openSync(path));
    opened = file;
    const { device, inode } = file.facts();
    if (device !== task.device || inode !== task.inode) return { kind: 'exchanged' };
    let told = 0;
    const encoder = new PieceEncoder((bytes) => {
      lane.put(bytes);
      told += bytes.length;
    });
    const readable = {
      path,
      size: piece.limit,
      read: (into: Window, length: number, position: number) =>
        lane.reading(() => file.read(into.bytes, length, position)),
      readBytes: (into: Uint8Array, position: number) => lane.reading(() => file.read(into, into.length, position)),
    };
    const facts = await inspectPiece(piece, readable, window, encoder);
    encoder.flush();
    lane.flush();
    return { kind: 'facts', facts, told };
  } catch (error) {
    if (error instanceof LaneCancelled) return { kind: 'cancelled' };
    if (!(error instanceof IoFault)) throw error;
    const { operation, code, detail, position } = error;
    // The path names another file in mid-look: whoever asked looks again.
    if (operation === 'open' && TRANSIENT.has(code)) return { kind: 'exchanged' };
    return { kind: 'fault', operation, path: error.path, code, detail, position };
  } finally {
    opened?.closeQuietly();
    port.close();
  }
}
