import { problemOfDirectory } from '../blobs/directory-problem.js';
import { readHistory } from '../events/history.js';
import { formatTid, tidToIso } from '../filestorage/tid.js';
import { observeSlave, usableDat } from '../pipeline/observe.js';
import { ReadDeadline } from '../pipeline/read-deadline.js';
import { damageOfSlave } from '../report/slave-damage.js';
import type { SlaveState, Standing } from '../report/standing.js';
import { findSideOrFault } from '../round/find-master.js';
import { readBlobScrub } from '../standby/blob-scrub-file.js';
import type { BlobsClaim } from '../standby/blobs-claim.js';
import { readDatOf } from '../standby/dat-file.js';
import { type KeptAside, keptAside } from '../standby/kept-aside.js';
import { keptPacked } from '../standby/kept-packed.js';
import { Lock } from '../standby/lock.js';
import { lostFiles } from '../standby/lost-files.js';
import { lastInStep, readOutcome } from '../standby/outcome-file.js';
import { nameInDirectory, type SlavePaths, slavePaths, slaveSide } from '../standby/paths.js';
import { type Refusal, seenTerm } from '../standby/role.js';
import { type KnownRole, roleOf } from '../standby/role-of.js';
import { readScrubProgress } from '../standby/scrub-file.js';
import { readSwitch } from '../standby/switch.js';
import { togethernessOf } from '../standby/together-file.js';
import { type Probed, probeMaster } from './probe-master.js';
import { deriveState, type StandingRefusal } from './slave-state.js';

export interface StatusOptions {
  readonly slave: string;
  readonly master: string | undefined;
  readonly file: string | undefined;
  readonly statusFile: string;
  readonly timeoutSeconds: number;
  /** What is known of the master already; it is not asked then. */
  readonly probed?: Probed | undefined;
}

const EVENTS_REPORTED = 20;

/** In these states both sides may have transactions of their own, so counting the master's gives no lag. */
const WITHOUT_LAG: ReadonlySet<SlaveState> = new Set(['promoted', 'refused', 'forked']);

/** What is known about a slave from its own files and, if a master is named, from probing that. Changes nothing. */
export async function readStanding(options: StatusOptions): Promise<Standing> {
  const deadline = new ReadDeadline(options.timeoutSeconds);
  // Checks SLAVE for mistakes before it accesses MASTER, which may hang.
  const ours = slaveSide(options.slave, options.file);
  const theirs =
    options.master === undefined ? undefined : await findSideOrFault(options.master, options.file, deadline);
  const paths = slavePaths(options.slave, options.file, theirs);
  const slave = observeSlave(paths);
  const file = readDatOf(paths, slave.inode);
  const { dat, problem } = usableDat(file, slave.inode);
  const known = roleOf(paths, file);
  const role = nameOf(known, 'dat' in file);
  const facts = 'facts' in known ? known.facts : undefined;
  const promotion = facts?.promotion;
  const recorded = readOutcome(paths);
  const outcome = 'outcome' in recorded ? recorded.outcome : undefined;
  const recordedInStep = outcome || dat ? lastInStep(paths, recorded) : undefined;
  const lastSync = promotion ? promotion.lastSync : recordedInStep;
  const history = readHistory(paths);
  const { lastFull } = readScrubProgress(paths, slave.inode);
  const holder = Lock.probe(paths.lock)?.kind;
  const lockedBy = holder === undefined ? 'nobody' : holder === 'syncpozo' ? 'syncpozo' : 'another program';
  const size = slave.state.state === 'there' ? slave.state.size : undefined;
  const probed =
    options.probed ??
    (theirs && (await probeMaster(paths, theirs, nameInDirectory(options.file, ours), deadline, dat?.claim)));
  const { state, since, why } = deriveState({
    role,
    roleProblem: 'problem' in known ? known.problem : undefined,
    refusal: facts?.refusal && refusedBy(facts.refusal),
    outcome,
    damage: damageOfSlave(history.events, recordedInStep),
    lockedBy,
    size,
    claim: dat?.claim,
    problem,
    master: probed?.now,
  });
  const counted = probed?.now.kind === 'behind' ? probed.now : undefined;
  const lag = WITHOUT_LAG.has(state) ? undefined : counted;
  return {
    slave: paths.data,
    role,
    roleProblem: 'problem' in known ? known.problem : null,
    term: facts ? seenTerm(facts) : null,
    state,
    since: since === undefined ? null : new Date(since).toISOString(),
    stateReason: why ?? null,
    lastOutcome: outcome
      ? {
          time: new Date(outcome.time).toISOString(),
          exitCode: outcome.exitCode,
          action: outcome.action,
          reason: outcome.reason,
        }
      : null,
    switch: readSwitch(options.statusFile),
    statusFile: options.statusFile,
    lockedBy,
    size: size ?? null,
    claim: dat ? { position: dat.claim.position, tid: formatTid(dat.claim.tid), time: tidToIso(dat.claim.tid) } : null,
    blobs: dat?.blobs ? blobsOf(dat.blobs, paths) : null,
    problem: problem ?? null,
    lastSync: lastSync === undefined ? null : new Date(lastSync).toISOString(),
    ageSeconds: lastSync === undefined ? null : ageOf(lastSync),
    lastFullScrub: lastFull?.toISOString() ?? null,
    fullScrubAgeSeconds: lastFull ? ageOf(lastFull.getTime()) : null,
    master: probed?.master ?? null,
    lag: lag ? { seconds: lag.seconds, transactions: lag.transactions, bytes: lag.bytes } : null,
    lagProblem: probed && !lag ? ('why' in probed.now ? probed.now.why : (why ?? state)) : null,
    promoted: promotion
      ? {
          at: new Date(promotion.at).toISOString(),
          position: promotion.position,
          tid: formatTid(promotion.tid),
          time: tidToIso(promotion.tid),
        }
      : null,
    together: togetherOf(paths),
    keptAside: keptAside(paths).map(keptOf),
    keptPacked: keptPacked(paths).map(keptOf),
    lostFiles: lostFiles(paths).map(({ report, firstTid, lastTid, ...file }) => ({
      ...keptOf(file),
      report: report ?? null,
      firstTid,
      lastTid,
    })),
    events: history.events.slice(-EVENTS_REPORTED),
    eventsProblem: history.problem ?? null,
  };
}

function keptOf({ path, size, writtenAt }: KeptAside): Standing['keptAside'][number] {
  return { path, size, written: new Date(writtenAt).toISOString(), ageSeconds: ageOf(writtenAt) };
}

function blobsOf(claim: BlobsClaim, paths: SlavePaths): Standing['blobs'] {
  const { directory, count, bytes, missing } = claim;
  const { lastFull } = readBlobScrub(paths, claim);
  const problem = problemOfDirectory(claim) ?? null;
  return { directory, problem, count, bytes, missing, lastFullScrub: lastFull?.toISOString() ?? null };
}

function togetherOf(paths: SlavePaths): Standing['together'] {
  const known = togethernessOf(paths);
  if (known.kind === 'alone' || known.kind === 'unknown') return null;
  const members = known.members.map(({ path, atMoment, now }) => ({
    path,
    atMoment: formatTid(atMoment),
    now: now === undefined ? null : formatTid(now),
  }));
  return { moment: new Date(known.moment).toISOString(), isTogether: known.kind === 'together', members };
}

function nameOf(role: KnownRole, hasDat: boolean): Standing['role'] {
  if ('problem' in role) return 'unreadable';
  if (role.from === 'nothing') return hasDat ? 'slave' : 'none';
  return role.facts.role === 'master' ? 'promoted' : role.facts.role;
}

/** Whole seconds since a time in milliseconds since the epoch; 0 if the clock was set back. */
function ageOf(moment: number): number {
  return Math.max(0, Math.round((Date.now() - moment) / 1000));
}

/** A refusal in effect, as the state of the slave. */
function refusedBy({ since, lineage }: Refusal): StandingRefusal {
  const kind = lineage === 'forked' ? 'forked' : 'refused';
  return { kind, since, reason: `the master is no continuation of the slave (${lineage})` };
}
