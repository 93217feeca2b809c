import { Command } from 'commander';
import type { DemoReport } from '../demo/play.js';
import type { Promote, Rejoin } from '../demo/stage.js';
import { writeToStdout } from '../io/sink.js';
import { ReadDeadline } from '../pipeline/read-deadline.js';
import type { RejoinOptions } from '../rejoin/options.js';
import { SILENT } from '../report/log.js';
import { EXIT } from '../round/exit.js';
import { printJson } from './common.js';
import { type Manual, withManual } from './manual.js';

interface Flags {
  readonly keep?: boolean;
  readonly json?: boolean;
}

const DEADLINE_SECONDS = 30;

const MANUAL: Manual = {
  notes: [
    'The demo makes a master with a small writer of its own, which uses its Data.fs and its blob directory as a live ZODB does, and shows the life of a slave: first copy, nothing new, appends, a transaction in flight, a site that commits meanwhile, a pack, a slave that is cut short, a damaged master, a slave that was written to, the takeover, the way back of the old master, a planned switchover. Each step reports what it expects and what it found. The demo writes only into one temporary directory, and removes it at the end, unless --keep is given.',
  ],
  examples: ['syncpozo demo', 'syncpozo demo --keep'],
  exits: [
    ['0', 'every step found what it expected'],
    ['1', 'a step did not, and the output names it; or an I/O error'],
    ['2', 'usage: wrong options'],
  ],
};

/** `syncpozo demo`: the life of a standby, in a temporary directory. */
export function demoCommand(): Command {
  const command = new Command('demo')
    .description('shows the life of a standby in a temporary directory, with a live writer, in a few seconds')
    .option('--keep', 'keep the directory and print its path')
    .option('--json', 'print one JSON object with all steps instead of the text')
    .action(async ({ keep = false, json = false }: Flags) => {
      const [{ playDemo }, { runSync }, { runPromote }, { runRejoin }] = await Promise.all([
        import('../demo/play.js'),
        import('../round/run-sync.js'),
        import('./promote.js'),
        import('../rejoin/rejoin.js'),
      ]);
      const promote: Promote = (round) => runPromote({ ...round, file: 'Data.fs', graceSeconds: 1, verify: false });
      const rejoin: Rejoin = (round) => runRejoin(rejoinOptionsOf(round));
      const print = json ? () => {} : (line: string) => writeToStdout(`${line}\n`);
      const report = await playDemo({ commands: { sync: runSync, promote, rejoin }, print, keep });
      if (json) printJson(report);
      else print(summaryOf(report));
      process.exitCode = report.ok ? EXIT.ok : EXIT.fault;
    });
  return withManual(command, MANUAL);
}

/** As `syncpozo rejoin --yes`, without its words. */
export function rejoinOptionsOf({ blobs, ...sides }: Parameters<Rejoin>[0]): RejoinOptions {
  return {
    ...sides,
    file: 'Data.fs',
    full: false,
    dryRun: false,
    keepSwitch: false,
    deadline: new ReadDeadline(DEADLINE_SECONDS),
    log: SILENT,
    sync: { blobs },
    storage: undefined,
    say: () => {},
    confirm: () => true,
    before: () => Promise.resolve(undefined),
    onEvents: () => {},
  };
}

function summaryOf({ ok, steps, seconds, directory }: DemoReport): string {
  const count = `${steps.length} steps in ${seconds.toFixed(1)} s`;
  const failed = steps.filter((step) => !step.ok).map(({ title }) => `\n    ${title}`);
  const outcome = ok ? `As expected: all ${count}.` : `NOT AS EXPECTED, of ${count}:${failed.join('')}`;
  return `\n${outcome}${directory === null ? '' : `\nThe files are in ${directory}`}`;
}
