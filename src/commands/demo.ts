import { Command } from 'commander';
import type { DemoReport } from '../demo/play.js';
import type { Promote } from '../demo/stage.js';
import { writeToStdout } from '../io/sink.js';
import { printJson } from './common.js';
import { EXIT } from './exit.js';

interface Flags {
  readonly keep?: boolean;
  readonly json?: boolean;
}

const HELP = `
It makes a master with a small writer of its own, which treats its Data.fs as a live ZODB does, and takes a slave through
a standby's life: first copy, nothing new, appends, a transaction in flight, a site that goes on committing, a pack, a
slave cut short, a damaged master, a slave that was written to, the takeover. At every step it says what it expects and
whether that is what it found. Nothing outside one temporary directory is touched, and that is removed in the end.

Example:
  syncpozo demo
  syncpozo demo --keep

Exit status:
  0  every step found what it expected
  1  one did not, and the output says which
  2  usage`;

/** `syncpozo demo`: the life of a standby, in a temporary directory. */
export function demoCommand(): Command {
  return new Command('demo')
    .description("shows a standby's life in a temporary directory, with a live writer, in some seconds")
    .option('--keep', 'leave the directory in place and say where it is')
    .option('--json', 'print one JSON object with all steps instead of the text')
    .addHelpText('after', HELP)
    .action(async ({ keep = false, json = false }: Flags) => {
      const [{ playDemo }, { runSync }, { runPromote }] = await Promise.all([
        import('../demo/play.js'),
        import('./sync.js'),
        import('./promote.js'),
      ]);
      const promote: Promote = (round) => runPromote({ ...round, file: 'Data.fs', graceSeconds: 1, verify: false });
      const print = json ? () => {} : (line: string) => writeToStdout(`${line}\n`);
      const report = await playDemo({ commands: { sync: runSync, promote }, print, keep });
      if (json) printJson(report);
      else print(summaryOf(report));
      process.exitCode = report.ok ? EXIT.ok : EXIT.fault;
    });
}

function summaryOf({ ok, steps, seconds, directory }: DemoReport): string {
  const count = `${steps.length} steps in ${seconds.toFixed(1)} s`;
  const failed = steps.filter((step) => !step.ok).map(({ title }) => `\n    ${title}`);
  const outcome = ok ? `As expected: all ${count}.` : `NOT AS EXPECTED, of ${count}:${failed.join('')}`;
  return `\n${outcome}${directory === null ? '' : `\nThe files are in ${directory}`}`;
}
