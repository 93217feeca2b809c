import type { StandbyBlobs } from '../blobs/standby-blobs.js';
import type { Master } from '../pipeline/master.js';
import { observeSlave, usableDat } from '../pipeline/observe.js';
import type { Resume } from '../pipeline/resume.js';
import type { Work } from '../pipeline/work.js';
import type { ScrubbedBlobs } from '../scrub/blobs.js';
import { NOT_SCRUBBED, type ScrubAmount, type Scrubbed } from '../scrub/round.js';
import type { ChunkLine, Dat } from '../standby/dat.js';
import { publishDat, readDatOf } from '../standby/dat-file.js';
import type { Facts, Plan } from './facts.js';
import type { Outcome } from './outcome.js';

/** Whether a plan keeps the slave's bytes and at most appends to them. */
export function keepsOldBytes({ kind }: Plan): boolean {
  return kind === 'none' || kind === 'append' || kind === 'adopt';
}

/** Repairs what the probes found wrong on the slave alone, before the run changes anything else of it. */
export async function repairBefore(
  plan: Plan,
  facts: Facts,
  master: Master,
  dat: Dat | undefined,
  work: Work,
): Promise<Scrubbed> {
  const chunks = repairsIn(plan, facts);
  if (!dat || chunks.length === 0 || !keepsOldBytes(plan)) return NOT_SCRUBBED;
  const { repairKnown } = await import('../scrub/scrub.js');
  return repairKnown(work, chunks, master, dat.slaveInode);
}

function repairsIn(plan: Plan, { generation }: Facts): ChunkLine[] {
  const seen = generation?.kind === 'same' ? generation.repairs : undefined;
  return [...(seen ?? []), ...(('repairs' in plan && plan.repairs) || [])];
}

/** Scrubs after a run that reached its end. A rebuild has rewritten all of Data.fs, but not the blobs. */
export async function scrubAfter(
  outcome: Outcome,
  repaired: Scrubbed,
  master: Master,
  work: Work,
  amount: ScrubAmount,
  blobs: StandbyBlobs | undefined,
): Promise<Outcome> {
  const { plan, reached, damage } = outcome;
  const repairedOutcome = { ...outcome, scrubbed: repaired };
  const hasOldBlobs = keepsOldBytes(plan) || plan.kind === 'rebuild';
  if (amount === 0 || !hasOldBlobs || damage || !reached) return repairedOutcome;
  const claimed = outcome.blobs?.claim;
  const share = blobs && claimed ? shareOfBlobs(amount, reached.position, claimed.bytes) : 0;
  const old = keepsOldBytes(plan) ? await scrubData(work, withoutShare(amount, share), reached, master) : NOT_SCRUBBED;
  const again = await scrubBlobsOf(work, share, blobs, outcome);
  const bytes = repaired.bytes + old.bytes + again.bytes;
  const scrubbed = { ...old, bytes, bad: repaired.bad + old.bad + again.bad };
  const known = outcome.blobs && { ...outcome.blobs, lost: again.lost };
  return { ...repairedOutcome, scrubbed, damage: old.rot, ...(known && { blobs: known }) };
}

async function scrubData(work: Work, amount: ScrubAmount, reached: Resume, master: Master): Promise<Scrubbed> {
  const { scrub } = await import('../scrub/scrub.js');
  return scrub(work, amount, reached, master);
}

/** Of the bytes to reread, those of blobs: by their size, but never less than a part, nor more than the rest. */
function shareOfBlobs(amount: ScrubAmount, dataBytes: number, blobBytes: number): number {
  if (amount === 'full') return Number.POSITIVE_INFINITY;
  const share = blobBytes / Math.max(1, dataBytes + blobBytes);
  return Math.ceil(amount * Math.min(1 - SMALLEST_SHARE, Math.max(SMALLEST_SHARE, share)));
}

const SMALLEST_SHARE = 1 / 8;

function withoutShare(amount: ScrubAmount, share: number): ScrubAmount {
  return amount === 'full' ? amount : amount - share;
}

async function scrubBlobsOf(
  work: Work,
  share: number,
  blobs: StandbyBlobs | undefined,
  { blobs: outcome }: Outcome,
): Promise<ScrubbedBlobs> {
  if (!blobs || !outcome?.claim || share === 0) return { bytes: 0, bad: 0, lost: [], manifestChanged: false };
  const { scrubBlobs } = await import('../scrub/blobs.js');
  const found = await scrubBlobs(work, share, blobs, outcome.claim);
  if (found.manifestChanged) giveUpBlobs(work);
  return found;
}

/** The next run compares every blob and writes another manifest. */
function giveUpBlobs({ paths, report }: Work): void {
  const { inode } = observeSlave(paths);
  const { dat } = usableDat(readDatOf(paths, inode), inode);
  if (dat) publishDat(paths, { ...dat, blobs: undefined });
  report({ level: 'warn', message: `${paths.blobs} has changed on the disk; the next run compares all blobs` });
}
