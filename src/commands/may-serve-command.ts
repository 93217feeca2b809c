import { Command, Option } from 'commander';
import type { StorageSettings } from '../config/configuration.js';
import { logEvents } from '../events/event-log.js';
import { recordEvents } from '../events/history.js';
import { hooksOf } from '../events/hooks.js';
import { SILENT } from '../report/log.js';
import { visible } from '../report/quote.js';
import { slavePaths } from '../standby/paths.js';
import { type CommonOptions, logOf, printJson, secondsOption, withCommonOptions, withFileName } from './common.js';
import { type Ended, forEachStorage, printEnded } from './each-storage.js';
import { type Manual, withManual } from './manual.js';
import { type MayServeResult, mayServe } from './may-serve.js';
import { askPeer, readPeer } from './side-of-file.js';
import { type ConfigurationFlags, NAMES_NOTE, placesOf, refuseForSeveral, storagesOf, withNames } from './storages.js';

interface Flags extends CommonOptions, ConfigurationFlags {
  readonly peer?: string;
  readonly file?: string;
  readonly force?: boolean;
  readonly patience: number;
  readonly asPeer?: boolean;
}

const PATIENCE_SECONDS = 5;

const MANUAL: Manual = {
  notes: [
    'For the script that starts ZEO, on either host, before it does so: ZEO is started only after exit status 0. DATA is what this host is about to serve, PEER the data of the other host, as it is mounted here; where that has served in a higher term, DATA is marked as superseded, and never gets 0 again before it has been rejoined.',
    'A PEER that is out of reach may have been promoted: then the answer is 0 only if the last server of DATA was stopped cleanly, or with --force. A slave, a superseded side, and one whose rejoin has not ended never get 0, also with --force.',
    `Of storages, DATA is the slave of the configuration and PEER its master, whichever of them serves now. ${NAMES_NOTE}`,
  ],
  examples: ['syncpozo may-serve /srv/zeo/var --peer /mnt/m1/zeo/var && zeoctl start', 'syncpozo may-serve main'],
  exits: [
    ['0', 'ZEO may be started'],
    ['1', 'a fault: the files of DATA cannot be read'],
    ['2', 'usage: wrong options or paths'],
    ['3', 'ZEO must not be started; the reason is printed'],
  ],
};

/** `syncpozo may-serve DATA`: what a start script asks before it starts ZEO. */
export function mayServeCommand(): Command {
  const command = new Command('may-serve')
    .description('answers whether a ZEO server may be started here, by the roles of this side and of the other one')
    .argument('[DATA]', 'the data directory of this host, or its Data.fs')
    .option('--peer <PEER>', "the other host's data directory, or its Data.fs")
    .option('--patience <seconds>', 'time that the mount of PEER has to answer', secondsOption, PATIENCE_SECONDS)
    .option('--force', 'do not refuse because of what is not known; a person knows that the other side does not serve')
    // For the child process that reads PEER.
    .addOption(new Option('--as-peer').hideHelp());
  withManual(withCommonOptions(withFileName(withNames(command))), MANUAL);
  return command.action(async () => {
    const flags = command.opts<Flags>();
    if (flags.asPeer) return printJson(await readPeer(command.args[0] ?? '', flags.file));
    const chosen = storagesOf(command.args, flags, 1);
    if (chosen) refuseForSeveral(command, chosen, 'file', 'peer');
    const log = flags.logFile === undefined ? SILENT : logOf(flags);
    const hooks = hooksOf(chosen?.configuration.hooks, chosen ? logOf({ ...flags, logLevel: 'warn' }) : log);
    const answered = async (data: string, peer: string | undefined, storage?: StorageSettings): Promise<Ended> => {
      const paths = slavePaths(data, flags.file ?? storage?.file);
      const { result, events } = await mayServe({
        paths,
        peer,
        ask: (given) => askPeer(process.argv[1] ?? '', given, paths, flags.patience),
        force: flags.force === true,
        storage: storage?.name,
      });
      recordEvents(paths, events, log);
      logEvents(events, log);
      await hooks.launch(events);
      return ended(result, flags);
    };
    if (!chosen) {
      const [data = ''] = placesOf(command);
      return printEnded(await answered(data, flags.peer), flags);
    }
    await forEachStorage(chosen.storages, flags, (storage) =>
      answered(storage.slave, flags.peer ?? storage.master, storage),
    );
  });
}

function ended(result: MayServeResult, { quiet }: Flags): Ended {
  const { exitCode, mayServe: may, data, reason, hint } = result;
  const text = `${data} ${may ? 'may be served' : 'must not be served'}: ${reason}`;
  const lines = [text, ...(hint === null ? [] : [`hint: ${hint}`])].map((line) => `${visible(line)}\n`).join('');
  if (!may) return { exitCode, json: result, err: lines };
  return { exitCode, json: result, out: quiet ? '' : lines };
}
