import { Command } from 'commander';
import { forShell } from '../report/quote.js';
import { EXIT } from '../round/exit.js';
import { slavePaths } from '../standby/paths.js';
import { readSwitch } from '../standby/switch.js';
import { type CommonOptions, type SlaveOptions, statusFileOf, withSlaveOptions } from './common.js';
import { demoteUnderLock } from './demote.js';
import { type Ended, forEachStorage, printEnded } from './each-storage.js';
import { type Manual, withManual } from './manual.js';
import { type ConfigurationFlags, NAMES_NOTE, placesOf, refuseForSeveral, storagesOf, withNames } from './storages.js';

interface Flags extends SlaveOptions, ConfigurationFlags {}

const MANUAL: Manual = {
  notes: [NAMES_NOTE],
  examples: ['syncpozo demote /srv/zeo/var && syncpozo on', 'syncpozo demote main && syncpozo on main'],
  exits: [
    ['0', 'a slave, now or before; start a sync'],
    ['1', 'a fault: I/O error, or another syncpozo uses the slave'],
    [
      '2',
      'usage: wrong options or paths; or a status file that says neither 0 nor 1, which is read after the demotion',
    ],
    ['3', 'refused: the role cannot be read, or a rejoin has not ended'],
    ['5', 'refused: another program uses the slave, for example a ZEO server'],
  ],
};

/** `syncpozo demote SLAVE`: the last step of the way back, for a person. */
export function demoteCommand(): Command {
  const command = new Command('demote')
    .description('turns a promoted slave into a slave again; the next sync compares it with the master first')
    .argument('[SLAVE]', "the slave's data directory, or its Data.fs");
  withManual(withSlaveOptions(withNames(command)), MANUAL);
  return command.action(async () => {
    const flags = command.opts<Flags>();
    const chosen = storagesOf(command.args, flags, 1);
    if (chosen) refuseForSeveral(command, chosen, 'file');
    if (!chosen) {
      const [slave = ''] = placesOf(command);
      const on =
        flags.statusFile === undefined ? 'syncpozo on' : `syncpozo on --status-file ${forShell(flags.statusFile)}`;
      const { err = '', ...ended } = await demoted(slave, flags.file, statusFileOf(flags), on, flags);
      return printEnded({ ...ended, err: err === '' ? '' : `syncpozo: ${err}` }, flags);
    }
    await forEachStorage(chosen.storages, flags, ({ name, slave, file, statusFile }) =>
      demoted(slave, flags.file ?? file, flags.statusFile ?? statusFile, `syncpozo on ${name}`, flags),
    );
  });
}

/** `on`: the command that switches its syncs on. */
async function demoted(
  slave: string,
  file: string | undefined,
  statusFile: string,
  on: string,
  { quiet }: CommonOptions,
): Promise<Ended> {
  const result = await demoteUnderLock(slavePaths(slave, file));
  const syncing = readSwitch(statusFile) === 'on';
  const { exitCode, message, hint } = result;
  const json = { ...result, syncing };
  if (exitCode !== EXIT.ok) return { exitCode, json, err: `${message}\n${hint === null ? '' : `hint: ${hint}\n`}` };
  const next = syncing ? '' : `the switch is off: '${on}' lets syncs run again\n`;
  return { exitCode, json, out: quiet ? '' : `${message}\n${next}` };
}
