import { readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { type Scenario, write } from '../scenario.js';

const LARGE = 70_000;
const TLOC_IN_LAST_RECORD = 24;

/**
 * A transaction larger than one read is wrong in its second half (a stale page of a network file system): its first half is
 * truncated again, and everything before it is committed. Later the master is intact.
 */
export const brokenOff: Scenario = {
  name: 'a large transaction truncated',
  exitCode: 4,
  large: true,
  async prepare(stage) {
    const site = stage.site(2);
    await stage.inStep();
    write(site, 1, 200);
    const second = { oid: 2n, data: new TextEncoder().encode('the second record') };
    site.commit({ edits: [{ oid: 1n, data: new Uint8Array(LARGE).fill(0x2e) }, second] });
    site.close();
    const whole = readFileSync(stage.masterFile);
    writeFileSync(`${stage.masterFile}.whole`, whole);
    const record = whole.length - 8 - second.data.length - 42;
    writeFileSync(stage.masterFile, Buffer.from(whole).fill(0xee, record + TLOC_IN_LAST_RECORD, record + 32));
    truncateSync(stage.masterFile, whole.length);
  },
  afterwards(stage) {
    stage.generations.pop();
    writeFileSync(stage.masterFile, readFileSync(`${stage.masterFile}.whole`));
  },
};
