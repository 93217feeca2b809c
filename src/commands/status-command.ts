import { Command } from 'commander';
import { writeToStdout } from '../io/sink.js';
import { formatBytes } from '../report/size.js';
import {
  type CommonOptions,
  printJson,
  statusFileOf,
  withCommonOptions,
  withFileName,
  withStatusFile,
  withTimeout,
} from './common.js';
import { EXIT_HELP } from './exit.js';
import { readStanding, type Standing } from './status.js';

interface Flags extends CommonOptions {
  readonly master?: string;
  readonly statusFile?: string;
  readonly file: string;
  readonly timeout: number;
}

/** `syncpozo status SLAVE`: what is known of the slave. */
export function statusCommand(): Command {
  const command = new Command('status')
    .description('tells role, switch, claim and age of the slave; with --master also how far it is behind')
    .argument('<SLAVE>', "the slave's data directory, or its Data.fs")
    .option('--master <MASTER>', "the master's data directory, or its Data.fs, to tell the lag");
  withFileName(command, 'name of the file in both directories');
  withTimeout(withStatusFile(withCommonOptions(command)));
  command.addHelpText(
    'after',
    `\nExample:\n  syncpozo status /srv/zeo/var/filestorage --master /mnt/master/var/filestorage\n${EXIT_HELP}`,
  );
  return command.action(async (slave: string, flags: Flags) => {
    const standing = await readStanding({
      slave,
      master: flags.master,
      file: flags.file,
      statusFile: statusFileOf(flags),
      timeoutSeconds: flags.timeout,
    });
    if (flags.json) printJson(standing);
    else writeToStdout(render(standing));
  });
}

function render(standing: Standing): string {
  const { claim, lag, master } = standing;
  const rows: [string, string][] = [
    ['slave', standing.slave],
    ['role', standing.role],
    ['switch', `${standing.switch === 'on' ? 'SYNCING=1' : 'SYNCING=0'} (${standing.statusFile})`],
    ['locked by', standing.lockedBy],
    ['size', standing.size === null ? 'no file' : `${standing.size} (${formatBytes(standing.size)})`],
    [
      'claim',
      claim ? `${claim.position}, transaction ${claim.tid} of ${claim.time ?? 'no time'}` : `none: ${standing.problem}`,
    ],
    ['last sync', standing.lastSync ? `${standing.lastSync}, ${standing.ageSeconds} s ago` : 'never'],
    ['last full scrub', standing.lastFullScrub ?? 'never'],
  ];
  if (master) {
    const last = master.lastTid ? `, last transaction ${master.lastTid} of ${master.lastTime ?? 'no time'}` : '';
    rows.push(['master', `${master.path}${master.problem ? `: ${master.problem}` : last}`]);
    rows.push([
      'lag',
      lag ? `${lag.seconds ?? '?'} s, ${lag.transactions} transactions, ${lag.bytes} bytes` : 'not known',
    ]);
  }
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, value]) => `${`${name}:`.padEnd(width + 2)}${value}\n`).join('');
}
