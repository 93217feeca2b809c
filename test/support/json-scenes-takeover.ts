import {
  appendFileSync,
  copyFileSync,
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { formatTid } from '../../src/filestorage/tid.js';
import { type Run, syncpozo } from './cli.js';
import { commitWithUndo, flip, timeless, whileBroken } from './json-damage.js';
import { type Scenes, type See, writeRole } from './json-scenes.js';
import { ofEveryLineage } from './json-scenes-lineages.js';
import { heldByOther } from './locks.js';
import type { Pair } from './pair.js';
import { batchBeyond, promoteArgs, roleFileOf } from './promotion.js';
import { Site } from './site.js';
import { transactionsOf } from './walking.js';

const verify = (pair: Pair, ...more: string[]): Run => syncpozo(['verify', pair.slave, '--json', ...more]);
const verifyMaster = (pair: Pair): Run => syncpozo(['verify', pair.master, '--json']);
const against = (pair: Pair): Run => verify(pair, '--against', pair.master);

export const VERIFY: Scenes = {
  ...ofEveryLineage(against),
  'of a good slave, and what is wrong beside it': (pair, see) => {
    see(verify(pair.synced()));
    see(verify(pair, '--no-pointers'));
    const index = `${pair.slaveFile}.index`;
    copyFileSync(index, `${index}.good`);
    pair.commit('more', 'again');
    pair.synced();
    flip(index, 'q');
    see(verify(pair));
    writeFileSync(index, 'nonsense');
    see(verify(pair));
    rmSync(index);
    see(verify(pair));
    writeFileSync(pair.dat, 'nonsense');
    see(verify(pair));
  },
  'of a slave that has rotted or was cut short': (pair, see) => {
    flip(pair.synced().slaveFile, 'the second');
    see(verify(pair));
    truncateSync(pair.slaveFile, readFileSync(pair.slaveFile).length - 20);
    see(verify(pair));
  },
  'of a file that breaks a rule': (pair, see) => {
    commitWithUndo(pair);
    whileBroken(pair.masterFile, () => see(verifyMaster(pair)), true);
  },
  'of a file that is live, of Python 2, or none': (pair, see) => {
    pair.site.vote(pair.site.pages(new Map([[1, 'in flight']])));
    see(verifyMaster(pair));
    Site.create(pair.slaveFile, { clock: pair.clock, magic: 'FS21' }).close();
    writeFileSync(`${pair.slaveFile}.index`, 'of Python 2');
    see(verify(pair));
    writeFileSync(pair.slaveFile, 'no Data.fs at all');
    see(verify(pair));
  },
  'against a master out of reach, and one that is none': (pair, see) => {
    renameSync(pair.synced().masterFile, `${pair.masterFile}.away`);
    see(against(pair));
    writeFileSync(pair.masterFile, '');
    see(against(pair));
  },
};

const promote = (pair: Pair, ...more: string[]): Run => syncpozo(promoteArgs(pair, ...more));

/** A promotion of a slave whose end has been changed. */
function promoted(change: (pair: Pair) => unknown, ...more: string[]): Scenes[string] {
  return (pair, see) => {
    change(pair.synced());
    see(promote(pair, ...more));
  };
}

export const PROMOTE: Scenes = {
  'fresh, again, and while it is served': async (pair, see) => {
    see(promote(pair.synced(), '--on-loss', 'true'));
    see(promote(pair));
    await heldByOther(pair, ' PID\n', () => see(promote(pair)));
  },
  'with a master that has nothing newer': (pair, see) => {
    see(promote(pair.synced(), '--master', pair.master, '--patience', '20', '--verify'));
  },
  'with a master that has more': (pair, see) => {
    pair.synced().commit('lost');
    see(promote(pair, '--master', pair.master, '--patience', '20', '--catch-up', '0'));
  },
  'with a master that is caught up with, and one that has forked': (pair, see) => {
    pair.synced().commit('not on the slave');
    see(promote(pair, '--master', pair.master, '--patience', '20', '--catch-up', '60'));
    demote(pair);
    pair.commitToSlave('only here');
    see(promote(pair, '--master', pair.master, '--patience', '20', '--catch-up', '60'));
  },
  'with a master that is damaged': (pair, see) => {
    pair.synced().commit('good', 'to be damaged');
    const bytes = readFileSync(pair.masterFile);
    bytes[bytes.length - 3]! ^= 1;
    writeFileSync(pair.masterFile, bytes);
    see(promote(pair, '--master', pair.master, '--patience', '20', '--catch-up', '60'));
  },
  'of a file that was never a slave': (pair, see) => {
    copyFileSync(pair.masterFile, pair.slaveFile);
    see(promote(pair));
  },
  'of nothing': (pair, see) => see(promote(pair)),
  'in use by another program, by a sync elsewhere, and with a lock that is none': async (pair, see) => {
    await heldByOther(pair.synced(), ' PID\n', () => see(promote(pair)));
    await heldByOther(pair, ' 1 syncpozo another-host\n', () => see(promote(pair)));
    const lock = join(pair.slave, 'Data.fs.lock');
    linkSync(lock, `${lock}.other`);
    see(promote(pair));
  },
  'while a sync is at work': async (pair, see) => {
    await heldByOther(pair.synced(), 'syncpozo', () => see(promote(pair)));
  },
  'while a sync is at work that does not end': async (pair, see) => {
    await heldByOther(pair.synced(), 'syncpozo', (pid) => {
      process.kill(pid, 'SIGSTOP');
      see(promote(pair, '--grace', '0.1'));
    });
  },
  'with a role that cannot be read': promoted((pair) => writeFileSync(roleFileOf(pair), 'nonsense')),
  'with a switch that cannot be written': promoted((pair) => mkdirSync(pair.statusFile)),
  'with an unfinished batch': promoted((pair) => appendFileSync(pair.slaveFile, batchBeyond(pair, 'c'))),
  'with garbage at the end': promoted((pair) => appendFileSync(pair.slaveFile, 'no transaction '.repeat(20))),
  'that has rotted': promoted((pair) => flip(pair.slaveFile, 'the second')),
  'that was cut short': promoted((pair) => truncateSync(pair.slaveFile, pair.site.committedEnd - 20)),
  'without a .dat': promoted((pair) => rmSync(pair.dat)),
  'with tids that name no time': (pair, see) => {
    writeFileSync(pair.masterFile, timeless(3));
    pair.synced();
    see(promote(pair, '--master', pair.master, '--patience', '20'));
    see(promote(pair));
  },
};

const demote = (pair: Pair): Run => syncpozo(['demote', pair.slave, '--status-file', pair.statusFile, '--json']);

const mayServe = (data: string, peer?: string): Run =>
  syncpozo(['may-serve', data, '--json', ...(peer === undefined ? [] : ['--peer', peer])]);

export const MAY_SERVE: Scenes = {
  'on both sides, before and after a takeover': (pair, see) => {
    const [m1, m2] = [pair.master, pair.slave];
    pair.synced();
    see(mayServe(m1));
    see(mayServe(m1, m2));
    see(mayServe(m2, m1));
    promote(pair);
    see(mayServe(m2, m1));
    see(mayServe(m2, join(pair.directory, 'not mounted')));
    see(mayServe(m1, m2));
    see(mayServe(m1, m2));
    see(mayServe(m2, m1));
  },
  'with sides of every role': (pair, see) => {
    const [m1, m2] = [pair.master, pair.slave];
    see(mayServe(m1, join(pair.directory, 'not mounted')));
    copyFileSync(pair.masterFile, pair.slaveFile);
    see(mayServe(m1, m2));
    writeRole(pair.masterFile, 'rejoining');
    see(mayServe(m1));
    see(mayServe(m2, m1));
    writeFileSync(`${pair.masterFile}.role`, 'nonsense');
    see(mayServe(m1));
    see(mayServe(m2, m1));
  },
};

export const DEMOTE: Scenes = {
  'of a slave, and of a promoted one': (pair, see) => {
    see(demote(pair.synced()));
    promote(pair);
    see(demote(pair));
  },
  'while the lock is held': async (pair, see) => {
    promote(pair.synced());
    await heldByOther(pair, 'syncpozo', () => see(demote(pair)));
    await heldByOther(pair, ' PID\n', () => see(demote(pair)));
  },
  'with a role that cannot be read': (pair, see) => {
    writeFileSync(roleFileOf(pair.synced()), 'nonsense');
    see(demote(pair));
  },
};

export const SWITCH: Scenes = {
  'on and off': (pair, see) => {
    for (const name of ['on', 'off']) see(syncpozo([name, '--status-file', pair.statusFile, '--json']));
  },
};

const index = (directory: string): Run => syncpozo(['index', directory, '--json']);

export const INDEX: Scenes = {
  'built, covering all, refreshed': (pair, see) => {
    const seeCopy = (): void => {
      copyFileSync(pair.masterFile, pair.slaveFile);
      see(index(pair.slave));
    };
    seeCopy();
    seeCopy();
    pair.commit('more');
    seeCopy();
    pair.site.vote(pair.site.pages(new Map([[1, 'in flight']])));
    seeCopy();
    truncateSync(pair.masterFile, pair.site.committedEnd + 10);
    seeCopy();
  },
  'while the lock is held': async (pair, see) => {
    await heldByOther(pair.synced(), 'syncpozo', () => see(index(pair.slave)));
    await heldByOther(pair, ' PID\n', () => see(index(pair.slave)));
  },
  'of a file that breaks a rule': (pair, see) => {
    commitWithUndo(pair);
    copyFileSync(pair.masterFile, pair.slaveFile);
    whileBroken(pair.slaveFile, () => see(index(pair.slave)));
  },
  'of a slave that has rotted': (pair, see) => {
    flip(pair.synced().slaveFile, 'the second');
    rmSync(`${pair.slaveFile}.index`);
    see(index(pair.slave));
  },
  'of nothing, of no Data.fs, and of one whose tids name no time': (pair, see) => {
    see(index(join(pair.slave, 'nowhere', 'x')));
    writeFileSync(pair.slaveFile, 'no Data.fs');
    see(index(pair.slave));
    writeFileSync(pair.slaveFile, timeless(2));
    see(index(pair.slave));
  },
};

const restore = (file: string, ...more: string[]): Run => syncpozo(['restore', file, ...more, '--json']);

export const RESTORE: Scenes = {
  'restored, planned, of a packed file, before the first transaction': (pair, see) => {
    const dest = (name: string): string => join(pair.directory, name);
    const first = transactionsOf(readFileSync(pair.masterFile))[0]!;
    const until = formatTid(first.tid);
    see(restore(pair.master, dest('a.fs'), '--until', until));
    see(restore(pair.master, dest('b.fs'), '--until', until, '--dry-run'));
    see(restore(pair.master, dest('b.fs'), '--until', '0000000000000000'));
    see(restore(pair.master, dest('a.fs'), '--until', '2126-01-01T00:00Z'));
    see(restore(join(pair.directory, 'none'), dest('b.fs'), '--until', until));
    pair.commit('edited', 'edited');
    pair.site.pack();
    see(restore(pair.master, dest('c.fs'), '--until', until));
    rmSync(`${pair.masterFile}.old`);
    see(restore(pair.master, dest('d.fs'), '--until', until));
  },
  'to a name that is too long for its temporary one': (pair, see) => {
    const dest = join(pair.directory, 'x'.repeat(253));
    see(restore(pair.master, dest, '--until', '2126-01-01T00:00Z'));
  },
  'of a file that breaks a rule': (pair, see) => {
    commitWithUndo(pair);
    copyFileSync(pair.masterFile, pair.slaveFile);
    whileBroken(pair.slaveFile, () =>
      see(restore(pair.slaveFile, join(pair.directory, 'x.fs'), '--until', '2126-01-01T00:00Z')),
    );
  },
  'of a slave that has rotted': (pair, see) => {
    flip(pair.synced().slaveFile, 'the second');
    see(restore(pair.slave, join(pair.directory, 'x.fs'), '--until', '2126-01-01T00:00Z'));
  },
  'of no Data.fs, and of one whose tids name no time': (pair, see) => {
    writeFileSync(pair.slaveFile, 'no Data.fs');
    see(restore(pair.slaveFile, join(pair.directory, 'x.fs'), '--until', '2126-01-01T00:00Z'));
    writeFileSync(pair.slaveFile, timeless(2));
    const tid = formatTid(transactionsOf(readFileSync(pair.slaveFile))[0]!.tid);
    see(restore(pair.slaveFile, join(pair.directory, 'y.fs'), '--until', tid));
  },
};

export const LOG: Scenes = {
  'of a packed file, and of one whose tids name no time': (pair, see) => {
    const log = (): void => see(syncpozo(['log', pair.master, '--json']));
    log();
    pair.site.pack();
    log();
    writeFileSync(pair.masterFile, timeless(2));
    log();
  },
};

export const DEMO: Scenes = {
  'with and without its files': (pair, see: See) => {
    const env = { TMPDIR: pair.directory };
    see(syncpozo(['demo', '--json'], { env }));
    see(syncpozo(['demo', '--json', '--keep'], { env }));
  },
};
