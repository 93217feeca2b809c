import type { StandbyBlobs } from '../blobs/standby-blobs.js';
import { dropUnfinishedIndex } from '../index/slave-index.js';
import { removeIfThere } from '../io/directory.js';
import { OpenFile } from '../io/open-file.js';
import { Exchanged } from '../pipeline/copy.js';
import type { Master } from '../pipeline/master.js';
import { observeUpTo } from '../pipeline/master-place.js';
import { type ObservedMaster, observeMaster, observeSlave, usableDat } from '../pipeline/observe.js';
import type { Resume } from '../pipeline/resume.js';
import { readableFile } from '../pipeline/scan.js';
import type { Scene } from '../pipeline/verified.js';
import type { Work } from '../pipeline/work.js';
import type { Dat } from '../standby/dat.js';
import { type DatFile, readDatFile, readDatOf, settleDat } from '../standby/dat-file.js';
import type { SlavePaths } from '../standby/paths.js';
import type { RoleFacts } from '../standby/role.js';
import { carryOver, clearRole } from '../standby/role-of.js';
import { append } from './append.js';
import { blobsOf, blobsOutcome, withoutBlobs } from './blobs-of-run.js';
import { decide } from './decide.js';
import type { Facts, Plan } from './facts.js';
import { noteMarks } from './marks.js';
import { type Observed, type Outcome, type SyncRequest, settled } from './outcome.js';
import { take } from './probes.js';
import { rebuild } from './rebuild.js';
import { dryRebuild, judged, replacedBy } from './rebuild-outcome.js';
import { replaceSlave } from './replace-slave.js';
import { keepsOldBytes, repairBefore, scrubAfter } from './scrub-steps.js';
import { readRoles, takeTerms, UNKNOWN_STANDING } from './standing.js';
import { written } from './written.js';

export type { Outcome, SyncRequest } from './outcome.js';

/** Attempts of one run, which starts over when the master is exchanged while it is read. */
const ATTEMPTS = 3;

/** One round of the sync. The caller holds the slave's lock (except for a dry run). */
export async function sync(work: Work, request: SyncRequest): Promise<Outcome> {
  for (let attempt = 1; ; attempt++) {
    try {
      const outcome = await attemptSync(work, request);
      if (!request.dryRun) noteMarks(work, outcome);
      return outcome;
    } catch (error) {
      // The companions would have to start over as well.
      if (!(error instanceof Exchanged) || attempt === ATTEMPTS || work.companion) throw error;
      work.report({ level: 'info', message: `${error.message}; starting over` });
    }
  }
}

async function attemptSync(work: Work, request: SyncRequest): Promise<Outcome> {
  const slave = observeSlave(work.paths);
  if (!request.dryRun) settleDat(work.paths, slave.inode);
  const read = readDatOf(work.paths, slave.inode);
  const file = request.dryRun ? read : carryOver(work.paths, read);
  const role = request.rejoins ? 'slave' : roleIn(work.paths, file);
  const { dat, problem } = usableDat(file, slave.inode);
  const switchNow = request.readSwitch();
  const active = switchNow === 'on' && role === 'slave';
  const observed = active ? await observe(request.masterPath, work, dat) : undefined;
  const roles =
    observed && 'master' in observed
      ? await readRoles(work.paths, observed.master, work.deadline, dat !== undefined, slave.inode)
      : undefined;
  const facts: Facts = {
    standing: roles?.standing ?? UNKNOWN_STANDING,
    switch: switchNow,
    role,
    lock: 'ours',
    master: observed?.state ?? { state: 'missing', reason: 'not checked' },
    full: request.full,
    slave: slave.state,
    claim: dat?.claim,
    datProblem: problem,
  };
  if (!observed || !('master' in observed)) return settled(decideWithout(facts), facts, undefined, work.paths);
  try {
    const { plan, facts: known } = await decideWithProbes(facts, work, request, observed.master, dat);
    request.onPlan(plan);
    const blobs = await blobsOf(plan, dat, work, request);
    const claimed = request.blobs === 'given-up' && !request.dryRun ? withoutBlobs(plan, dat, work.paths) : dat;
    const decided: Decided = { plan, facts: known, observed, dat: claimed, masterRole: roles?.master, blobs, request };
    try {
      if (request.dryRun) return await dryRun(decided, work);
      const repaired = await repairBefore(plan, known, observed.master, dat, work);
      if (repaired.rot) {
        return { ...settled(plan, known, observed, work.paths), scrubbed: repaired, damage: repaired.rot };
      }
      const outcome = await execute(decided, work);
      return await scrubAfter(outcome, repaired, observed.master, work, request.scrub, blobs);
    } finally {
      blobs?.close();
    }
  } finally {
    observed.master.close();
  }
}

/** With companions: the master as it was at the moment that all of them are brought to. */
async function observe(path: string, { deadline, companion }: Work, dat: Dat | undefined): Promise<ObservedMaster> {
  const observed = await observeMaster(path, deadline, dat);
  if (!companion || !('master' in observed)) return observed;
  observed.master.close();
  return observeUpTo(await companion.place(path, deadline), path, deadline, dat);
}

/** Throws RoleRefusal where the role does not allow a decision. */
function roleIn(paths: SlavePaths, file: DatFile): Facts['role'] {
  return clearRole(paths, file).role === 'master' ? 'promoted' : 'slave';
}

/** The outcome of a run that did not get the slave's lock: rows 1, 2 and 3. */
export function lockedOut(lock: 'syncpozo' | 'other', paths: SlavePaths): Outcome {
  const facts: Facts = {
    standing: UNKNOWN_STANDING,
    switch: 'on',
    // The server of a promoted slave may hold the lock: that is no alarm.
    role: roleIn(paths, readDatFile(paths)),
    lock,
    master: { state: 'missing', reason: 'not checked' },
    full: false,
    slave: { state: 'missing' },
    claim: undefined,
    datProblem: undefined,
  };
  return settled(decideWithout(facts), facts, undefined, paths);
}

/** A decision without probes, because there is no master to probe. */
function decideWithout(facts: Facts): Plan {
  const decision = decide(facts);
  if (decision.kind === 'probe') throw new Error(`the decision asks for a probe of ${decision.at} without a master`);
  return decision;
}

async function decideWithProbes(
  facts: Facts,
  work: Work,
  request: SyncRequest,
  master: Master,
  dat: Dat | undefined,
): Promise<{ readonly plan: Plan; readonly facts: Facts }> {
  let known = facts;
  let decision = decide(known);
  if (decision.kind !== 'probe') return { plan: decision, facts: known };
  const file = OpenFile.openHere(work.paths.data);
  try {
    const { window } = work.source;
    const scene: Scene = {
      master,
      slave: readableFile(file),
      dat,
      chunkBytes: request.chunkBytes,
      windows: [window, window.twin],
      isAsLeft: request.isAsLeft?.(),
      continues: request.rejoins,
    };
    while (decision.kind === 'probe') {
      known = await take(decision.at, known, scene);
      decision = decide(known);
    }
    return { plan: decision, facts: known };
  } finally {
    file.close();
  }
}

/** A plan, and the facts that it was made from. */
interface Decided {
  readonly plan: Plan;
  readonly facts: Facts;
  readonly observed: Observed;
  readonly dat: Dat | undefined;
  /** The master's role file, if it has one. */
  readonly masterRole: RoleFacts | undefined;
  readonly blobs: StandbyBlobs | undefined;
  readonly request: SyncRequest;
}

/** The outcome that a run would have. Judges the lineage where the outcome depends on it. */
async function dryRun({ plan, facts, observed, dat, masterRole }: Decided, work: Work): Promise<Outcome> {
  const outcome = { ...settled(plan, facts, observed, work.paths), reached: resumeOf(plan) };
  if (plan.kind !== 'rebuild') return outcome;
  return dryRebuild(outcome, plan, observed.master, replacedBy(plan, dat, work.paths, masterRole), work);
}

async function execute(decided: Decided, work: Work): Promise<Outcome> {
  const { blobs, dat } = decided;
  const outcome = await carryOut(decided, work);
  return blobs ? { ...outcome, blobs: blobsOutcome(blobs, outcome.plan, dat, work.paths) } : outcome;
}

async function carryOut(decided: Decided, work: Work): Promise<Outcome> {
  const { plan, facts, observed, dat, masterRole, blobs, request } = decided;
  const { paths } = work;
  const { master, magic } = observed;
  // Remains of a killed run. A rebuild creates its own `Data.fs.new`.
  const keepsBytes = keepsOldBytes(plan);
  if (keepsBytes) removeIfThere(paths.fresh);
  if (keepsBytes || plan.kind === 'full' || plan.kind === 'rebuild') dropUnfinishedIndex(work);
  // A rejoin takes the terms at its end, with the role.
  const recordTerms = (): void => (request.rejoins ? undefined : takeTerms(paths, masterRole, facts.full));
  switch (plan.kind) {
    case 'full': {
      const result = await rebuild(work, master, magic, {
        replaced: undefined,
        takeDamaged: true,
        beforeSwap: recordTerms,
        blobs,
        compareBlobs: facts.full,
      });
      return written(plan, result, observed, dat, work);
    }
    case 'rebuild': {
      const replaced = replacedBy(plan, dat, paths, masterRole);
      const options = { replaced, takeDamaged: false, beforeSwap: recordTerms, blobs, compareBlobs: plan.forced };
      const result = await replaceSlave(work, master, magic, options);
      if (result.rot) return { ...settled(plan, facts, observed, paths), damage: result.rot };
      if (result.refused) return judged(settled(plan, facts, observed, paths), result.verdict, master, plan, work);
      const kept = result.kept === undefined ? undefined : { path: result.kept, reason: result.verdict?.reason ?? '' };
      return { ...written(plan, result, observed, dat, work), kept };
    }
    case 'adopt':
    case 'append':
      recordTerms();
      return written(plan, await append(work, master, magic, dat, plan.resume, blobs), observed, dat, work);
    case 'none':
      if (masterRole) recordTerms();
      if (blobs && facts.verified && blobs.hasWork(dat)) {
        const reason = 'nothing new, but not all blobs are known to be there';
        const bringing = { kind: 'append', row: 13, reason, resume: facts.verified } as const;
        return written(bringing, await append(work, master, magic, dat, facts.verified, blobs), observed, dat, work);
      }
      return settled(plan, facts, observed, paths);
    default:
      return settled(plan, facts, observed, paths);
  }
}

function resumeOf(plan: Plan): Resume | undefined {
  return plan.kind === 'append' || plan.kind === 'adopt' ? plan.resume : undefined;
}
