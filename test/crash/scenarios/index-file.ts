import { copyFileSync, rmSync } from 'node:fs';
import type { Site } from '../../support/site.js';
import { type Scenario, write } from '../scenario.js';
import { rebuildAfterPack } from './rebuild-after-pack.js';

/** Enough objects that their positions fill whole sectors: an index that lacks one of those sectors still looks intact. */
const OBJECTS = 260;

/** Writes many small objects at once, then one of them again: FileStorage's sanity check covers only that one. */
function manyObjects(site: Site): void {
  const texts = Array.from({ length: OBJECTS }, (_, n) => [n + 1, '.'] as const);
  site.commit(site.pages(new Map(texts)));
  write(site, 1, 20);
}

/** The slave's index is out of date after an append, and is refreshed. */
export const indexRefreshed: Scenario = {
  name: 'an append and its index',
  indexLagBytes: 1024,
  large: true,
  async prepare(stage) {
    const site = stage.site();
    await stage.inStep();
    await stage.indexSlave();
    manyObjects(site);
    site.close();
  },
};

/** `syncpozo index` on another program's copy, nothing of which is durable. */
export const indexCommand: Scenario = {
  name: 'the index of an unsynced copy',
  index: true,
  copiedUnsynced: true,
  large: true,
  prepare(stage) {
    const site = stage.site(1);
    manyObjects(site);
    site.close();
    copyFileSync(stage.masterFile, stage.slaveFile);
  },
};

/**
 * `syncpozo index` after a killed rebuild: the new file has its name in memory only, and FileStorage would accept the new
 * index for the old file.
 */
export const indexOfSwapped: Scenario = {
  name: 'the index of a slave that was rebuilt in memory only',
  index: true,
  swappedUnsynced: true,
  packed: true,
  async prepare(stage) {
    await rebuildAfterPack.prepare(stage);
    rmSync(`${stage.slaveFile}.index`);
    copyFileSync(stage.masterFile, `${stage.slaveFile}.new`);
  },
};
