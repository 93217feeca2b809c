import { workerData } from 'node:worker_threads';
import { validate } from '../src/pipeline/validate-task.js';
import type { PoolData } from '../src/pipeline/worker-task.js';

// Tells that this thread has loaded all of its modules: from here on it may be ended.
const { ready } = workerData as PoolData;
Atomics.add(new Int32Array(ready), 0, 1);

/** What piscina loads into its threads: one chunk a call. */
export default validate;
