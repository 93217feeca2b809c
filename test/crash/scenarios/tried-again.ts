import { readFileSync, writeFileSync } from 'node:fs';
import { TRANSACTION_HEADER_LENGTH } from '../../../src/filestorage/layout.js';
import { type Scenario, write } from '../scenario.js';

/**
 * A bit has flipped in the user of a transaction, and the master was packed: the first rebuild is refused as a fork, the second does
 * not believe what the changed chunk shows, and keeps the old file.
 */
export const rebuildTriedAgain: Scenario = {
  name: 'a rebuild that is tried again',
  slow: true,
  packed: true,
  claimBroken: true,
  keepsOwn: true,
  keptInDoubt: true,
  async prepare(stage) {
    const site = stage.site();
    write(site, 3, 90, 'what the slave has');
    const [last] = site.transactions.slice(-1);
    await stage.inStep();
    await stage.indexSlave();
    write(site, 1, 90, 'later text');
    if (!site.pack()) throw new Error('the pack has freed nothing');
    site.close();
    const bytes = readFileSync(stage.slaveFile);
    const at = (last?.position ?? 0) + TRANSACTION_HEADER_LENGTH;
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    writeFileSync(stage.slaveFile, bytes, { flag: 'r+' });
  },
};
