import { workerData } from 'node:worker_threads';
import { type IndexThreadData, makeIndexOfWhatIsTold } from '../src/engine/index-task.js';

makeIndexOfWhatIsTold(workerData as IndexThreadData);
