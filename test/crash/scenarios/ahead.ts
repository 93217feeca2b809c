import { appendFileSync, readFileSync } from 'node:fs';
import { type Scenario, type Stage, write } from '../scenario.js';

const STATUS_OFFSET = 16;

/** Leaves the bytes of an unpublished batch on the slave, and lets the master grow. */
async function batchBeyondClaim(stage: Stage, status: string | undefined, cut: number): Promise<void> {
  const site = stage.site();
  await stage.inStep();
  const claim = site.committedEnd;
  write(site, 3, 250);
  write(site, 3, 500);
  const batch = Buffer.from(readFileSync(stage.masterFile).subarray(claim));
  if (status) batch.write(status, STATUS_OFFSET);
  appendFileSync(stage.slaveFile, batch.subarray(0, batch.length - cut));
  write(site, 3, 200);
  write(site, 3, 500);
  site.close();
}

/** A killed run left a batch that is incomplete and not flipped. */
export const aheadUnfinished: Scenario = {
  name: 'ahead by an unfinished batch',
  large: true,
  prepare: (stage) => batchBeyondClaim(stage, 'c', 100),
};

/** A killed run left a batch that is complete and flipped, but not published. */
export const aheadFlipped: Scenario = {
  name: 'ahead by a flipped batch',
  large: true,
  prepare: (stage) => batchBeyondClaim(stage, undefined, 0),
};
