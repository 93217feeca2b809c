import { MAGIC_LENGTH, SMALLEST_TRANSACTION, STATUS_IN_FLIGHT } from '../filestorage/layout.js';
import { type Comparison, compare, sameMagic } from '../lineage/compare.js';
import { probeGeneration } from '../lineage/generation.js';
import { findSides, type Sides } from '../lineage/sides.js';
import { lacksNewest } from '../lineage/unpacked-place.js';
import { NOTHING_YET } from '../pipeline/chunk-table.js';
import type { Master } from '../pipeline/master.js';
import { headerAt } from '../pipeline/records.js';
import type { Resume } from '../pipeline/resume.js';
import { readableEnd, scan } from '../pipeline/scan.js';
import { isPlainlyInFlight } from '../pipeline/tail.js';
import { findVerified, type Scene } from '../pipeline/verified.js';
import type { Facts, Probe } from './facts.js';
import { hasOwn } from './own.js';

/** Makes the one probe that the decision requests, and adds the answer to the facts. */
export async function take(probe: Probe, facts: Facts, scene: Scene): Promise<Facts> {
  switch (probe) {
    case 'verified':
      return { ...facts, verified: await findVerified(scene) };
    case 'beyond':
      return { ...facts, beyond: await probeComparison(scene, facts.verified ?? NOTHING_YET) };
    case 'comparison':
      return { ...facts, comparison: await probeComparison(scene, NOTHING_YET) };
    case 'generation':
      return { ...facts, generation: await probeGeneration(scene, facts.verified ?? NOTHING_YET) };
    case 'own':
      return { ...facts, own: await hasOwn(scene, facts.verified?.position) };
    case 'forked':
      return { ...facts, forked: await probeFork(scene, facts) };
    case 'shown':
      return { ...facts, shown: await probeShown(scene) };
    case 'news':
      return { ...facts, news: await probeNews(scene.master, facts.verified?.position ?? MAGIC_LENGTH) };
    case 'sides':
      return { ...facts, sides: await probeSides(scene, facts) };
  }
}

async function probeComparison(scene: Scene, from: Resume): Promise<Comparison> {
  const { master, slave, chunkBytes, windows } = scene;
  if (from.position > MAGIC_LENGTH || (await sameMagic(master, slave))) {
    return compare(master, slave, from, chunkBytes, windows);
  }
  const walk = await scan(slave, windows[0], MAGIC_LENGTH);
  return {
    ...NOTHING_YET,
    equalUpTo: 0,
    firstDifference: 0,
    slaveEnd: walk.end,
    slaveStop: walk.stop?.kind ?? 'end',
    masterDamaged: undefined,
  };
}

async function probeFork(scene: Scene, facts: Facts): Promise<boolean> {
  const { slave, master } = await endings(scene, facts);
  return lacksNewest(slave, master);
}

async function probeSides(scene: Scene, facts: Facts): Promise<Sides> {
  const { slave, master } = await endings(scene, facts);
  return findSides(slave, master, undefined);
}

/**
 * The ends from which both files can be read backwards. On the slave that is the end of what FileStorage would show:
 * the last transactions of an interrupted batch may be complete, although its first one is still in flight.
 */
async function endings(scene: Scene, facts: Facts) {
  const { master, slave, windows } = scene;
  const seen = facts.beyond ?? facts.comparison ?? (await shownBehindClaim(scene));
  const shown = seen?.slaveStop === 'end' || seen?.slaveStop === 'in-flight' ? seen.slaveEnd : undefined;
  const slaveEnd = shown ?? (await readableEnd(slave, windows[0], facts.verified?.position ?? MAGIC_LENGTH));
  const masterEnd = await readableEnd(master, windows[0]);
  return { slave: { source: slave, end: slaveEnd }, master: { source: master, end: masterEnd } };
}

/** What FileStorage would show behind the claim of a slave that was not compared. */
async function shownBehindClaim({ slave, dat, windows }: Scene): Promise<Pick<Comparison, 'slaveEnd' | 'slaveStop'>> {
  const from = dat && dat.claim.position <= slave.size ? dat.claim : NOTHING_YET;
  const walk = await scan(slave, windows[0], from.position, from.tid);
  return { slaveEnd: walk.end, slaveStop: walk.stop?.kind ?? 'end' };
}

async function probeShown(scene: Scene): Promise<NonNullable<Facts['shown']>> {
  const { slaveEnd: end, slaveStop } = await shownBehindClaim(scene);
  const brokenBehind =
    slaveStop !== 'end' && slaveStop !== 'in-flight' && scene.slave.size - end >= SMALLEST_TRANSACTION;
  return { end, brokenBehind };
}

/** Rows 12 and 13: whether anything but a transaction in flight begins at `position`. */
async function probeNews(master: Master, position: number): Promise<boolean> {
  if (master.size <= position) return false;
  const header = await headerAt(master, position);
  if (header?.status !== STATUS_IN_FLIGHT) return true;
  return !(await isPlainlyInFlight({ position, length: header.length }, master));
}
