import { appendFileSync, chmodSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Run, syncpozo } from './cli.js';
import type { Scenes, See } from './json-scenes.js';
import type { Pair } from './pair.js';
import { promoteArgs } from './promotion.js';
import { BlobDirectory } from './site.js';

/** Of the first transaction. */
const FIRST_STATUS = 20;

/** A pair whose site has blobs, the first two of them committed. */
interface Blobs {
  /** Paths below each of the directories. */
  readonly paths: readonly string[];
  readonly onMaster: (path: string) => string;
  readonly onSlave: (path: string) => string;
  readonly add: () => void;
  readonly sync: (...more: string[]) => Run;
}

export function withBlobs(pair: Pair): Blobs {
  const master = join(pair.directory, 'master-blobs');
  const slave = join(pair.directory, 'slave-blobs');
  for (const path of [master, slave]) mkdirSync(path);
  const directory = BlobDirectory.begin(master);
  let number = 0;
  const add = (): string => directory.commit(pair.site, number++, Buffer.from(`blob ${number}`));
  return {
    paths: [add(), add()],
    onMaster: (path) => join(directory.path, path),
    onSlave: (path) => join(slave, path),
    add,
    sync: (...more) => pair.sync('--blobs', `${directory.path}:${slave}`, ...more),
  };
}

function loseOne({ paths: [path = ''], onMaster }: Blobs): void {
  renameSync(onMaster(path), `${onMaster(path)}.lost`);
}

/** Gives the second blob of the slave other bytes. */
function spoilOne({ paths: [, path = ''], onSlave }: Blobs): void {
  chmodSync(onSlave(path), 0o644);
  writeFileSync(onSlave(path), 'spoiled'.padEnd(9));
}

export const SYNC_OF_BLOBS: Scenes = {
  'a first copy with blobs, an append, and blobs that are given up': (pair, see) => {
    const blobs = withBlobs(pair);
    see(blobs.sync('--dry-run'));
    see(blobs.sync());
    blobs.add();
    see(blobs.sync());
    see(pair.sync());
    see(pair.sync('--no-blobs'));
  },
  'a blob that the master has lost, before anything was copied': (pair, see) => {
    const blobs = withBlobs(pair);
    loseOne(blobs);
    see(blobs.sync());
    see(blobs.sync());
  },
  'a master that is damaged from its beginning on': (pair, see) => {
    const blobs = withBlobs(pair);
    const bytes = readFileSync(pair.masterFile);
    bytes[FIRST_STATUS] = 0x80;
    writeFileSync(pair.masterFile, bytes);
    see(blobs.sync());
  },
};

export const STATUS_OF_BLOBS: Scenes = {
  'a blob that is missing': (pair, see) => {
    const blobs = withBlobs(pair);
    const status = (): void =>
      see(syncpozo(['status', pair.slave, '--status-file', pair.statusFile, '--json', '--max-age', '60']));
    loseOne(blobs);
    blobs.sync();
    status();
    blobs.sync('--scrub', 'full');
    status();
    renameSync(blobs.onSlave(''), join(pair.directory, 'away'));
    status();
  },
};

export const VERIFY_OF_BLOBS: Scenes = {
  'of blobs, good ones, and a lost and a spoiled one': (pair, see) => {
    const verify = (...more: string[]): void => see(syncpozo(['verify', pair.slave, '--json', ...more]));
    const blobs = withBlobs(pair);
    blobs.sync();
    verify();
    verify('--blobs', blobs.onMaster(''));
    verify('--no-blobs');
    loseOne(blobs);
    verify('--blobs', blobs.onMaster(''));
    spoilOne(blobs);
    verify();
    appendFileSync(join(pair.slave, 'Data.fs.blobs'), 'behind what counts');
    verify();
    writeFileSync(join(pair.slave, 'Data.fs.blobs'), 'nonsense');
    verify();
  },
};

export const PROMOTE_WITH_BLOBS: Scenes = {
  'with blobs, one of them spoiled': (pair: Pair, see: See) => {
    const blobs = withBlobs(pair);
    blobs.sync();
    spoilOne(blobs);
    see(syncpozo(promoteArgs(pair)));
  },
};

export const RESTORE_WITH_BLOBS: Scenes = {
  'with blobs, and one that is lost': (pair: Pair, see: See) => {
    const blobs = withBlobs(pair);
    const restore = (name: string): void => {
      const [dest, directory] = [join(pair.directory, `${name}.fs`), join(pair.directory, name)];
      const both = `${blobs.onMaster('')}:${directory}`;
      see(syncpozo(['restore', pair.master, dest, '--until', '2126-01-01T00:00Z', '--blobs', both, '--json']));
    };
    restore('all');
    loseOne(blobs);
    restore('some');
  },
};
