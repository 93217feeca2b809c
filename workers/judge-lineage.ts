import { parentPort, workerData } from 'node:worker_threads';
import { type JudgingData, judge } from '../src/lineage/judging-task.js';

judge(workerData as JudgingData).then((answer) => answer && parentPort?.postMessage(answer));
