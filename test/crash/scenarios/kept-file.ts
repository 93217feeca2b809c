import { rmSync } from 'node:fs';
import { type Scenario, write } from '../scenario.js';

/** The master was packed, and no Data.fs.old proves its lineage: the old slave is kept, once. */
export const keptFile: Scenario = {
  name: 'a rebuild that keeps the old file',
  slow: true,
  packed: true,
  keepsOwn: true,
  keptInDoubt: true,
  async prepare(stage) {
    const site = stage.site();
    write(site, 3, 90, 'what the slave has');
    await stage.inStep();
    await stage.indexSlave();
    write(site, 3, 90, 'later text');
    if (!site.pack()) throw new Error('the pack has freed nothing');
    rmSync(`${stage.masterFile}.old`);
    write(site, 2, 120, 'text after the pack');
    site.close();
  },
};
