import { listOrNothing } from './proc.js';

const MICROSECONDS = 1e6;

/** What this process uses of the machine. */
export interface ProcessFigures {
  readonly residentBytes: number;
  readonly cpuSeconds: number;
  readonly openDescriptors: number;
}

export function processFigures(): ProcessFigures {
  const { user, system } = process.cpuUsage();
  return {
    residentBytes: process.memoryUsage.rss(),
    cpuSeconds: (user + system) / MICROSECONDS,
    openDescriptors: listOrNothing('/proc/self/fd').length,
  };
}
