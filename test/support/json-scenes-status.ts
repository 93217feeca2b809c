import { mkdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { slavePaths } from '../../src/standby/paths.js';
import { writeTogether } from '../../src/standby/together-file.js';
import { type Run, syncpozo } from './cli.js';
import { timeless } from './json-damage.js';
import { away, off, ROLES, type Scenes, writeRole } from './json-scenes.js';
import { heldByOther } from './locks.js';
import type { Pair } from './pair.js';
import { promote, roleFileOf } from './promotion.js';

function status(pair: Pair, ...more: string[]): Run {
  return syncpozo(['status', pair.slave, '--status-file', pair.statusFile, '--json', ...more]);
}

export const STATUS: Scenes = {
  'never synced, in step, behind, a full scrub': (pair, see) => {
    const against = ['--master', pair.master];
    see(status(pair, ...against, '--max-age', '60'));
    pair.synced();
    see(status(pair, '--max-age', '60'));
    see(status(pair, ...against));
    pair.commit('more', 'again');
    see(status(pair, ...against));
    see(pair.synced('--scrub', 'full') && status(pair));
    see(pair.synced() && status(pair));
    pair.site.pack();
    see(pair.synced() && status(pair));
    rmSync(pair.dat);
    see(status(pair, ...against));
    see(pair.synced() && status(pair));
  },
  'a question': (pair, see) => {
    see(status(pair, '--check', 'slave'));
    pair.synced();
    for (const check of ['promotable', 'slave', 'master']) see(status(pair, '--check', check));
  },
  'a slave from before a pack that was kept': (pair, see) => {
    pair.synced();
    pair.commit('edited', 'edited');
    pair.site.pack();
    see(pair.synced('--keep-packed', '1') && status(pair));
  },
  'the switch off': (pair, see) => {
    off(pair.synced());
    see(status(pair, '--max-scrub-age', '60'));
  },
  'a slave that is cut short, and a lock that is held': async (pair, see) => {
    truncateSync(pair.synced().slaveFile, 100);
    see(status(pair));
    await heldByOther(pair, 'syncpozo', () => see(status(pair)));
    await heldByOther(pair, ' PID\n', () => {
      see(status(pair));
      pair.sync();
      see(status(pair));
    });
  },
  'a refusal, a fork, an old slave kept aside, and lost transactions': (pair, see) => {
    pair.synced().commitToSlave('only here');
    pair.sync();
    see(status(pair));
    pair.commit('only there');
    pair.sync();
    see(status(pair, '--master', pair.master, '--max-lag', '60'));
    pair.synced('--full');
    see(status(pair));
    for (const end of ['fs', 'txt'])
      writeFileSync(join(pair.slave, `lost-040d3aab1c2d3e44-040d3aab1c2d3e45.${end}`), '');
    see(status(pair));
    rmSync(join(pair.slave, 'lost-040d3aab1c2d3e44-040d3aab1c2d3e45.txt'));
    see(status(pair));
  },
  'a master that is damaged, or out of reach': (pair, see) => {
    away(pair.synced());
    see(status(pair, '--master', pair.master, '--max-lag', '60'));
    pair.sync();
    see(status(pair));
    writeFileSync(pair.masterFile, 'no Data.fs');
    see(status(pair, '--master', pair.master));
    pair.sync();
    see(status(pair));
  },
  'a fault': (pair, see) => {
    pair.synced().commit('more');
    mkdirSync(`${pair.dat}.tmp`);
    pair.sync();
    writeFileSync(`${pair.slaveFile}.events`, 'no event\n');
    see(status(pair));
  },
  'a group that is together, and one that is not any more': (pair, see) => {
    const paths = slavePaths(pair.synced().slave, undefined);
    const members = [{ path: paths.data, tid: pair.site.lastTid }];
    writeTogether(paths, { moment: Date.now(), members });
    see(status(pair));
    writeTogether(paths, { moment: Date.now(), members: [...members, { path: `${paths.data}.gone`, tid: 1n }] });
    see(status(pair));
  },
  'every role': (pair, see) => {
    promote(pair.synced());
    see(status(pair));
    for (const role of ROLES) {
      writeRole(pair.slaveFile, role);
      see(status(pair));
    }
    writeFileSync(roleFileOf(pair), 'nonsense');
    see(status(pair));
  },
  'tids that name no time': (pair, see) => {
    writeFileSync(pair.masterFile, timeless(3));
    pair.synced();
    writeFileSync(pair.masterFile, timeless(4));
    see(status(pair, '--master', pair.master, '--max-lag', '60'));
    promote(pair);
    see(status(pair));
  },
};
