import { copyFileSync, existsSync, renameSync } from 'node:fs';
import { Site } from '../../support/site.js';
import { type Scenario, write } from '../scenario.js';

/** The master is packed while a batch is being written: the batch is dropped, and the slave is rebuilt. */
export const exchanged: Scenario = {
  name: 'the master replaced in mid-batch',
  slow: true,
  packed: true,
  async prepare(stage) {
    const site = stage.site();
    await stage.inStep();
    write(site, 3, 250);
    write(site, 3, 600);
    site.close();
    const packed = `${stage.masterFile}.packed`;
    copyFileSync(stage.masterFile, packed);
    const later = Site.open(packed, { clock: stage.clock });
    later.pack();
    later.close();
  },
  during(stage, operation) {
    const packed = `${stage.masterFile}.packed`;
    const body = operation.kind === 'write' && operation.path === stage.slaveFile && operation.bytes.length > 100;
    if (!body || !existsSync(packed)) return;
    renameSync(stage.masterFile, `${stage.masterFile}.old`);
    renameSync(packed, stage.masterFile);
  },
};
