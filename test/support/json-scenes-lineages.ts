import { rmSync, writeFileSync } from 'node:fs';
import { type Run, syncpozo } from './cli.js';
import { breakRule, commitWithUndo, flip, timeless, written } from './json-damage.js';
import { fork, ROLES, type Scenes, type See, writeRole } from './json-scenes.js';
import type { Pair } from './pair.js';
import { Site } from './site.js';

/** What a master may be to a slave. */
const LINEAGES: Readonly<Record<string, (pair: Pair) => unknown>> = {
  equal: (pair) => pair.synced(),
  behind: (pair) => pair.synced().commit('more'),
  ahead: (pair) => pair.synced().commitToSlave('only here'),
  packed: (pair) => {
    pair.commit('again');
    pair.synced().site.pack();
  },
  forked: fork,
  'rotten on the master': (pair) => flip(pair.synced().masterFile, 'the second'),
  'rotten on the slave': (pair) => flip(pair.synced().slaveFile, 'the second'),
  'rotten on either side': (pair) => {
    rmSync(pair.synced().dat);
    flip(pair.slaveFile, 'the second');
  },
  rewritten: (pair) => {
    writeFileSync(pair.slaveFile, written(1));
    writeFileSync(pair.masterFile, written(2));
  },
  damaged: (pair) => {
    commitWithUndo(pair);
    breakRule(pair.synced().masterFile, 'status');
  },
  unrelated: (pair) => {
    pair.synced();
    rmSync(pair.masterFile);
    Site.create(pair.masterFile, { clock: () => Date.UTC(2020, 1, 1) }).close();
  },
  'without a transaction': (pair) => {
    writeFileSync(pair.synced().masterFile, 'FS30');
  },
  'of a slave without a transaction': (pair) => writeFileSync(pair.slaveFile, 'FS30'),
  'behind, with tids that name no time': (pair) => {
    writeFileSync(pair.masterFile, timeless(2));
    pair.synced();
    writeFileSync(pair.masterFile, timeless(4));
  },
  'ahead, with tids that name no time': (pair) => {
    writeFileSync(pair.masterFile, timeless(4));
    pair.synced();
    writeFileSync(pair.masterFile, timeless(2));
  },
};

/** A scene for each lineage. */
export function ofEveryLineage(run: (pair: Pair) => Run): Scenes {
  return Object.fromEntries(
    Object.entries(LINEAGES).map(([name, prepare]) => [
      name,
      (pair: Pair, see: See) => {
        prepare(pair);
        see(run(pair));
      },
    ]),
  );
}

const compare = (pair: Pair): Run => syncpozo(['compare', pair.master, pair.slave, '--json']);

export const COMPARE: Scenes = {
  ...ofEveryLineage(compare),
  'of every role': (pair, see) => {
    pair.synced();
    for (const role of ROLES) {
      for (const data of [pair.masterFile, pair.slaveFile]) writeRole(data, role);
      see(compare(pair));
    }
    for (const data of [pair.masterFile, pair.slaveFile]) writeFileSync(`${data}.role`, 'nonsense');
    see(compare(pair));
  },
};
