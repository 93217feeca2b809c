import { existsSync, renameSync } from 'node:fs';
import { Site } from '../../support/site.js';
import { type Scenario, write } from '../scenario.js';

/** The master is packed while a batch is being written: the batch is dropped, and the slave is made anew. */
export const exchanged: Scenario = {
  name: 'exchanged in mid-batch',
  packed: true,
  async prepare(stage) {
    const site = stage.site();
    await stage.inStep();
    write(site, 2, 250);
    stage.remember();
    site.close();
  },
  during(stage, operation) {
    if (operation.kind !== 'write' || operation.path !== stage.slaveFile || operation.bytes.length < 100) return;
    const old = `${stage.masterFile}.before-the-pack`;
    if (existsSync(old)) return;
    const site = Site.open(stage.masterFile, { clock: stage.clock });
    site.pack();
    site.close();
    renameSync(`${stage.masterFile}.old`, old);
  },
};
