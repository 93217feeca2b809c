import type { MessagePort } from 'node:worker_threads';
import type { LaneMemory } from './lane.js';

/** A request to a worker about a part of a file, read by windows of `windowBytes`. */
export interface WorkerRequest {
  readonly part: {
    /** The part ends at the first transaction boundary at or beyond this position. */
    readonly cutAt: number;
    /** The file's size when it was opened. */
    readonly limit: number;
    /** The end of the transactions that were known to be finished at the time of the request; undefined: not known. */
    readonly finishedEnd?: number;
  };
  readonly windowBytes: number;
}

/** A request with its file, and the lane through which to hand over the results. */
export type WorkerTask<Request extends WorkerRequest = WorkerRequest> = Request & {
  readonly path: string;
  readonly device: string;
  readonly inode: string;
  /** Number of the lane. */
  readonly lane: number;
  /** Receives a message when the sleeping main thread has to check the lane. */
  readonly port: MessagePort;
};

/** What every thread receives when it is created. */
export interface PoolData {
  /** Counts the threads that have loaded their modules. */
  readonly ready: SharedArrayBuffer;
  /** All lanes of the pool. Sending such memory with each task would take milliseconds. */
  readonly lanes: readonly LaneMemory[];
}

/** Errors lose their class between threads, so a worker's answer is a value. */
export type WorkerAnswer<Facts> =
  /** `slots`: the number of slots that the worker handed over. */
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
