import { withFile } from '../io/with-file.js';
import { sameMagic } from '../lineage/compare.js';
import type { Mismatch } from '../lineage/findings.js';
import type { Replaced } from '../lineage/judge-copy.js';
import { commonTid, lineageOf } from '../lineage/lineage-of.js';
import { findSides, type Sides } from '../lineage/sides.js';
import { rotIn, type Verdict } from '../lineage/verdict.js';
import { Exchanged } from '../pipeline/copy.js';
import type { Rot } from '../pipeline/damage.js';
import { Master } from '../pipeline/master.js';
import { readableEnd, readableFile } from '../pipeline/scan.js';
import { findDifference } from '../pipeline/side-by-side.js';
import type { Work } from '../pipeline/work.js';
import type { Dat } from '../standby/dat.js';
import type { SlavePaths } from '../standby/paths.js';
import type { DamageMark, RoleFacts } from '../standby/role.js';
import { refusedAs } from './decide.js';
import type { Plan } from './facts.js';
import type { Outcome } from './outcome.js';
import { hidesRot, isRefused } from './refused.js';
import { marksOf } from './standing.js';

type RebuildPlan = Extract<Plan, { kind: 'rebuild' }>;

/** The slave that a rebuild replaces. */
export function replacedBy(
  plan: RebuildPlan,
  dat: Dat | undefined,
  paths: SlavePaths,
  master: RoleFacts | undefined,
): Replaced {
  const { slaveEnd, ownFrom, unverified, forced } = plan;
  const damageReported = marksOf(paths).damage !== undefined;
  return {
    slaveEnd,
    ownFrom,
    unverified,
    forced,
    damageReported,
    chunks: dat?.chunks ?? [],
    terms: master?.terms ?? [],
  };
}

/** The outcome of a rebuild that the lineage stopped before its swap: rot of the master, or a refusal. */
export async function judged(
  outcome: Outcome,
  verdict: Verdict | undefined,
  opened: Master,
  plan: RebuildPlan,
  work: Work,
): Promise<Outcome> {
  if (!verdict) return outcome;
  const { lineage, reason } = verdict;
  const { damage } = marksOf(work.paths);
  if (plan.forced && damage && hidesRot(verdict)) return { ...outcome, damage: reportedBefore(damage) };
  const mismatch = lineage === 'rotten' ? verdict.mismatch : plan.forced && rotIn(verdict);
  if (mismatch) return { ...outcome, damage: rotOf(mismatch, verdict) };
  // The copy may have closed the descriptor that this run opened.
  const master = await Master.open(opened.path, work.deadline);
  if (!master) throw new Exchanged(opened.path);
  try {
    if (lineage === 'rotten') return { ...outcome, damage: await rotOutsideData(master, work) };
    const why = verdict.own && lineage === 'packed' ? OWN : reason;
    const refused = refusedAs(verdict.own && lineage === 'packed' ? 'forked' : lineage, why);
    return { ...outcome, plan: refused, sides: await sidesOf(verdict, master, plan.slaveEnd, work) };
  } finally {
    master.close();
  }
}

const OWN =
  'a pack of it has left out what was never recorded as copied to this slave, and no Data.fs.old shows that it ever had that';

/** The outcome that a rebuild would have. */
export async function dryRebuild(
  outcome: Outcome,
  plan: RebuildPlan,
  master: Master,
  replaced: Replaced,
  work: Work,
): Promise<Outcome> {
  const { window } = work.source;
  const masterEnd = await readableEnd(master, window);
  const verdict = await withFile(work.paths.data, async (file) => {
    const slave = readableFile(file);
    const bytesDiffer = !plan.forced && (await sameMagic(master, slave));
    return lineageOf({ ...replaced, master, masterEnd, slave, deadline: work.deadline, window, bytesDiffer });
  });
  return isRefused(verdict, replaced) ? judged(outcome, verdict, master, plan, work) : outcome;
}

function reportedBefore({ position, tid }: DamageMark): Rot {
  const message =
    'damage of the master was reported there before, and a piece of the slave cannot be read, so they cannot be compared';
  return { position, at: position, tid, rule: 'hash', message, undecided: true };
}

function rotOf(
  { tid, transaction, masterTransaction, masterAt, slaveAt }: Mismatch,
  { blame, inPackedFile }: Verdict,
): Rot {
  const place = { position: masterTransaction, at: masterAt || masterTransaction, tid, rule: 'hash' } as const;
  if (inPackedFile) {
    const message =
      'the file that was packed (Data.fs.old) has other bytes there than were copied to the slave, and the pack has left out an object that the slave has';
    return { ...place, message };
  }
  const differs = `a transaction has other bytes than on the slave (there at ${slaveAt || transaction})`;
  if (blame === 'master') {
    return { ...place, message: `${differs}: the recorded hash says that the slave has the ones that were copied` };
  }
  return { ...place, message: `${differs}, and no recorded hash says which are right`, undecided: true };
}

async function rotOutsideData(master: Master, work: Work): Promise<Rot> {
  const { window } = work.source;
  const windows = [window, window.twin] as const;
  const at = await withFile(work.paths.data, (slave) => findDifference(master, readableFile(slave), 0, windows));
  const message = `a byte outside of the data is not that of the slave at ${at}, in a transaction that both have`;
  return { position: at, at, tid: 0n, rule: 'hash', message, undecided: true };
}

async function sidesOf(verdict: Verdict, master: Master, slaveEnd: number, work: Work): Promise<Sides> {
  return withFile(work.paths.data, async (file) => {
    const slave = readableFile(file);
    const masterEnd = await readableEnd(master, work.source.window);
    const until = await commonTid(verdict, slave, master, masterEnd);
    return findSides({ source: slave, end: slaveEnd }, { source: master, end: masterEnd }, until);
  });
}
