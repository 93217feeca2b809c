import { copyFileSync } from 'node:fs';
import type { Site } from '../../support/site.js';
import { type Scenario, write } from '../scenario.js';

/** So many objects that their positions fill sectors of their own: an index that lacks one of those still looks sound. */
const OBJECTS = 260;

/** Writes many small objects at once, then one of them again: FileStorage's sanity check looks at that one only. */
function manyObjects(site: Site): void {
  const texts = Array.from({ length: OBJECTS }, (_, n) => [n + 1, '.'] as const);
  site.commit(site.pages(new Map(texts)));
  write(site, 1, 20);
}

/** The slave's index lags behind after an append, and is brought up to it. */
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

/** `syncpozo index` on another program's copy, of which nothing has been made durable. */
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
