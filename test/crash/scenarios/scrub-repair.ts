import { readFileSync, writeFileSync } from 'node:fs';
import { type Scenario, write } from '../scenario.js';

const PADDING = '.'.charCodeAt(0);

/** Bits of the slave have flipped in the texts of old chunks: a full scrub repairs them from the master. */
export const scrubRepair: Scenario = {
  name: 'a repair by scrub',
  claimBroken: true,
  scrub: 'full',
  async prepare(stage) {
    const site = stage.site();
    const old = [300, 300, 5000].map((length) => {
      write(site, 1, length);
      return site.committedEnd - Math.round(length / 2);
    });
    write(site, 3, 300);
    site.close();
    await stage.inStep();
    const bytes = readFileSync(stage.slaveFile);
    for (const at of old) {
      if (bytes[at] !== PADDING) throw new Error(`nothing but padding may be hit, at ${at} is ${bytes[at]}`);
      bytes[at] = PADDING ^ 1;
    }
    writeFileSync(stage.slaveFile, bytes, { flag: 'r+' });
  },
};
