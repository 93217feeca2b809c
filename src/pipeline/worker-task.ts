import type { MessagePort } from 'node:worker_threads';
import type { LaneMemory } from './lane.js';

/** What is wanted of a worker: something of a part of a file, by windows of so many bytes. */
export interface WorkerRequest {
  readonly part: {
    /** The part ends at the first transaction boundary at or beyond this position. */
    readonly cutAt: number;
    /** The file's size as it was seen. */
    readonly limit: number;
    /** The end of the transactions that were known to be finished when this was asked for; undefined: not known. */
    readonly finishedEnd?: number;
  };
  readonly windowBytes: number;
}

/** What a worker is given: a request, which file it is about, and the lane by which to hand over what comes of it. */
export type WorkerTask<Request extends WorkerRequest = WorkerRequest> = Request & {
  readonly path: string;
  readonly device: string;
  readonly inode: string;
  /** Number of the lane. */
  readonly lane: number;
  /** Takes a message when the main thread, which sleeps, is to look at the lane. */
  readonly port: MessagePort;
};

/** What every thread is given when it is made. */
export interface PoolData {
  /** Counts the threads that have loaded their modules. */
  readonly ready: SharedArrayBuffer;
  /** All lanes of the pool; sending such memory with each task would take milliseconds. */
  readonly lanes: readonly LaneMemory[];
}

/** Errors do not cross threads with their class, so a worker's answer is a value. */
export type WorkerAnswer<Facts> =
  /** `slots`: how many the worker has handed over. */
  | { readonly kind: 'facts'; readonly facts: Facts; readonly slots: number }
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
