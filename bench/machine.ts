import { availableParallelism, cpus, loadavg, release, totalmem, type } from 'node:os';

/** The machine in general terms: enough to judge the figures, nothing that identifies its owner. */
export function describeMachine(): readonly (readonly [string, string])[] {
  return [
    ['processor', cpus()[0]?.model.trim() ?? 'unknown'],
    ['cores', String(availableParallelism())],
    ['memory', `${(totalmem() / 2 ** 30).toFixed(0)} GiB`],
    ['kernel', `${type()} ${(/^\d+\.\d+/.exec(release()) ?? [''])[0]}`],
    ['Node', process.version],
    ['load when it began', loadavg()[0]?.toFixed(1) ?? ''],
  ];
}
