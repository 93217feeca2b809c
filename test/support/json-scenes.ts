import { mkdirSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { formatRole, type Role } from '../../src/standby/role.js';
import { type Run, syncpozo } from './cli.js';
import { commitWithUndo, flip, holding, timeless, whileBroken } from './json-damage.js';
import { heldByOther } from './locks.js';
import type { Pair } from './pair.js';
import { promote } from './promotion.js';

/** Gives a run of the command to whoever holds its JSON against the contract. */
export type See = (run: Run) => void;

/** A situation of a pair, and the runs of a command in it. */
export type Scenes = Readonly<Record<string, (pair: Pair, see: See) => void | Promise<void>>>;

export const ROLES: readonly Role[] = ['slave', 'master', 'rejoining', 'superseded'];

/** Writes the role file beside a Data.fs. */
export function writeRole(data: string, role: Role): void {
  writeFileSync(`${data}.role`, formatRole({ role, terms: [] }));
}

/** Both sides have a transaction that the other lacks. */
export function fork(pair: Pair): void {
  pair.synced().commitToSlave('only here');
  pair.commit('only there');
}

export const off = (pair: Pair): void => writeFileSync(pair.statusFile, 'SYNCING=0\n');
export const away = (pair: Pair): void => renameSync(pair.masterFile, `${pair.masterFile}.away`);

export const SYNC: Scenes = {
  'a first copy, nothing new, an append, a pack, an adoption': (pair, see) => {
    see(pair.sync('--dry-run'));
    see(pair.sync());
    see(pair.sync());
    pair.commit('more', 'again');
    see(pair.sync('--dry-run'));
    see(pair.sync('--scrub', 'full'));
    pair.site.pack();
    see(pair.sync('--dry-run'));
    see(pair.sync());
    rmSync(pair.dat);
    see(pair.sync('--dry-run'));
    see(pair.sync());
    see(pair.sync('--full'));
  },
  'a slave that is cut short': (pair, see) => {
    pair.synced();
    truncateSync(pair.slaveFile, 100);
    see(pair.sync());
  },
  'the switch off, and a promoted slave': (pair, see) => {
    off(pair.synced());
    see(pair.sync());
    promote(pair);
    writeFileSync(pair.statusFile, 'SYNCING=1\n');
    see(pair.sync());
  },
  'a lock that is held': async (pair, see) => {
    await heldByOther(pair.synced(), 'syncpozo', () => see(pair.sync()));
    await heldByOther(pair, ' PID\n', () => see(pair.sync()));
  },
  'a slave that has grown, and a fork': (pair, see) => {
    pair.synced().commitToSlave('only here');
    see(pair.sync());
    see(pair.sync('--dry-run'));
    pair.commit('only there');
    see(pair.sync());
    pair.site.pack();
    see(pair.sync());
    see(pair.sync('--full'));
  },
  'a master that was rolled back': (pair, see) => {
    const end = pair.site.committedEnd;
    pair.commit('to be rolled back');
    pair.synced();
    truncateSync(pair.masterFile, end);
    see(pair.sync());
  },
  'a transaction with other records, and no .dat': (pair, see) => {
    writeFileSync(pair.masterFile, holding([1, 2]));
    writeFileSync(pair.slaveFile, holding([1]));
    see(pair.sync());
  },
  'a role that forbids it': (pair, see) => {
    writeRole(pair.synced().masterFile, 'superseded');
    see(pair.sync());
  },
  'a damaged master': (pair, see) => {
    commitWithUndo(pair.synced());
    whileBroken(pair.masterFile, () => see(pair.sync()));
    see(pair.sync());
    flip(pair.masterFile, 'the second');
    see(pair.sync('--scrub', 'full'));
  },
  'a rotten slave': (pair, see) => {
    flip(pair.synced('--chunk-size', '100B').slaveFile, 'the first page');
    see(pair.sync('--scrub', 'full'));
  },
  'a master out of reach, and one that is none': (pair, see) => {
    away(pair.synced());
    see(pair.sync());
    writeFileSync(pair.masterFile, '');
    see(pair.sync());
    writeFileSync(pair.masterFile, 'FS30');
    see(pair.sync());
  },
  'mistakes and faults': (pair, see) => {
    const { master, slave, statusFile } = pair;
    see(syncpozo(['sync', master, join(slave, 'nowhere', 'x'), '--json', '--status-file', statusFile]));
    see(syncpozo(['sync', master, master, '--json', '--status-file', statusFile]));
    mkdirSync(`${pair.dat}.tmp`);
    see(pair.sync());
    writeFileSync(statusFile, 'SYNCING=maybe\n');
    see(pair.sync());
  },
  'tids that name no time': (pair, see) => {
    writeFileSync(pair.masterFile, timeless(3));
    see(pair.sync());
    writeFileSync(pair.masterFile, timeless(1));
    see(pair.sync());
  },
};
