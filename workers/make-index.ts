import { workerData } from 'node:worker_threads';
import { type IndexThreadData, makeIndexOfReceived } from '../src/index/task.js';

makeIndexOfReceived(workerData as IndexThreadData);
