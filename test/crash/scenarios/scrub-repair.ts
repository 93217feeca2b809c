import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { recordPositions } from '../../../src/filestorage/encode.js';
import { type Scenario, type Stage, write } from '../scenario.js';

const PADDING = '.'.charCodeAt(0);
const LAST_OF_OID = 7;

/** Bits of the slave have flipped in the texts of old chunks: a full scrub repairs them from the master. */
export const scrubRepair: Scenario = {
  name: 'a repair by scrub',
  claimBroken: true,
  scrub: 'full',
  repairs: true,
  async prepare(stage) {
    const site = stage.site();
    const old = [300, 300, 5000].map((length) => {
      write(site, 1, length);
      return site.committedEnd - Math.round(length / 2);
    });
    write(site, 3, 300);
    site.close();
    await stage.inStep();
    flip(stage, old);
  },
};

/** Bits have flipped in two blocks of the slave's last chunk, which every sync probes. */
export const lastChunkRepair: Scenario = {
  name: 'a repair of the last chunk',
  claimBroken: true,
  repairs: true,
  async prepare(stage) {
    const site = stage.site();
    write(site, 3, 300);
    write(site, 1, 9000);
    const end = site.committedEnd;
    site.close();
    await stage.inStep();
    flip(stage, [end - 8000, end - 150]);
  },
};

/** Bits of the slave have flipped, and the master has grown: the repair comes first, then a batch. */
function repairAndAppend(chunk: string, pages: number): Scenario {
  return {
    name: `a repair of ${chunk} and an append`,
    claimBroken: true,
    repairs: true,
    async prepare(stage) {
      const site = stage.site();
      write(site, 4, 300);
      const end = site.committedEnd;
      write(site, pages, 300);
      await stage.inStep();
      flip(stage, [end - 150]);
      write(site, 1, 300, 'new text');
      site.close();
    },
  };
}

export const lastChunkRepairAndAppend = repairAndAppend('the last chunk', 0);

/** Every sync probes the chunks at the head of the file as well. */
export const oldChunkRepairAndAppend = repairAndAppend('an old chunk', 3);

/**
 * A bit has flipped in the oid of an object's only record, and FileStorage has built an index of the slave since: it maps an
 * oid that the repair removes to the record, and FileStorage's own check does not notice.
 */
export const indexedRotRepair: Scenario = {
  name: 'an index removed by a repair',
  claimBroken: true,
  scrub: 'full',
  repairs: true,
  async prepare(stage) {
    const site = stage.site();
    const [page] = site.transactions.slice(-1);
    if (!page) throw new Error('the site has no pages');
    const at = (recordPositions(page).at(-1) ?? 0) + LAST_OF_OID;
    write(site, 2, 300);
    site.close();
    await stage.inStep();
    const bytes = readFileSync(stage.slaveFile);
    if (bytes[at] !== 3) throw new Error(`page 3 is to be hit, at ${at} is ${bytes[at]}`);
    bytes[at] = 7;
    writeFileSync(stage.slaveFile, bytes, { flag: 'r+' });
    rmSync(`${stage.slaveFile}.index`, { force: true });
    await stage.indexSlave();
  },
};

/** Flips a bit of the slave at each of these positions, all of them in a text's padding. */
function flip(stage: Stage, places: readonly number[]): void {
  const bytes = readFileSync(stage.slaveFile);
  for (const at of places) {
    if (bytes[at] !== PADDING) throw new Error(`nothing but padding may be hit, at ${at} is ${bytes[at]}`);
    bytes[at] = PADDING ^ 1;
  }
  writeFileSync(stage.slaveFile, bytes, { flag: 'r+' });
}
