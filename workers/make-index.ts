import { workerData } from 'node:worker_threads';
import { type IndexThreadData, makeIndexOfWhatIsTold } from '../src/index/task.js';

makeIndexOfWhatIsTold(workerData as IndexThreadData);
