import { workerData } from 'node:worker_threads';
import type { PoolData } from '../src/pipeline/worker-task.js';
import { inspect } from '../src/verify/inspect-task.js';

// Signals that this thread has loaded all its modules: from here on it may be terminated.
const { ready } = workerData as PoolData;
Atomics.add(new Int32Array(ready), 0, 1);

/** Entry point for piscina: one piece per call. */
export default inspect;
