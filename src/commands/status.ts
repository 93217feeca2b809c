import { findLag, type Lag } from '../engine/lag.js';
import { observeMaster, observeSlave, usableDat } from '../engine/observe.js';
import { Patience } from '../engine/patience.js';
import { Window } from '../engine/window.js';
import { formatTid, tidToIso } from '../filestorage/tid.js';
import { factsOfPath, writtenAt } from '../io/facts.js';
import type { Standing } from '../report/standing.js';
import { readDatOf } from '../standby/dat-file.js';
import { keptAside } from '../standby/kept-aside.js';
import { Lock } from '../standby/lock.js';
import { fileOf, nameInDirectory, slavePaths, slaveSide } from '../standby/paths.js';
import { seenTerm } from '../standby/role.js';
import { type KnownRole, roleOf } from '../standby/role-of.js';
import { readScrubProgress } from '../standby/scrub-file.js';
import { readSwitch } from '../standby/switch.js';
import { findSideOrFault } from './master.js';

export interface StatusOptions {
  readonly slave: string;
  readonly master: string | undefined;
  readonly file: string | undefined;
  readonly statusFile: string;
  readonly timeoutSeconds: number;
}

const WINDOW_BYTES = 1 << 20;

/** What is known of a slave, from its own files and, if a master is named, from a look at that. Changes nothing. */
export async function readStanding(options: StatusOptions): Promise<Standing> {
  const patience = new Patience(options.timeoutSeconds);
  // A mistake in SLAVE is found before MASTER, which may hang, is asked.
  const ours = slaveSide(options.slave, options.file);
  const theirs =
    options.master === undefined ? undefined : await findSideOrFault(options.master, options.file, patience);
  const paths = slavePaths(options.slave, options.file, theirs);
  const slave = observeSlave(paths);
  const file = readDatOf(paths, slave.inode);
  const { dat, problem } = usableDat(file, slave.inode);
  const role = roleOf(paths, file);
  const promotion = 'facts' in role ? role.facts.promotion : undefined;
  const datFacts = dat && factsOfPath(paths.dat);
  const touched = datFacts && writtenAt(datFacts);
  const lastSync = promotion ? promotion.lastSync : touched;
  const { lastFull } = readScrubProgress(paths, slave.inode);
  const holder = Lock.look(paths.lock)?.kind;
  const found = theirs && (await lookAtMaster(theirs, nameInDirectory(options.file, ours), patience, dat?.claim));
  return {
    slave: paths.data,
    role: nameOf(role, 'dat' in file),
    roleProblem: 'problem' in role ? role.problem : null,
    term: 'facts' in role ? seenTerm(role.facts) : null,
    switch: readSwitch(options.statusFile),
    statusFile: options.statusFile,
    lockedBy: holder === undefined ? 'nobody' : holder === 'syncpozo' ? 'syncpozo' : 'another program',
    size: slave.state.state === 'there' ? slave.state.size : null,
    claim: dat ? { position: dat.claim.position, tid: formatTid(dat.claim.tid), time: tidToIso(dat.claim.tid) } : null,
    problem: problem ?? null,
    lastSync: lastSync === undefined ? null : new Date(lastSync).toISOString(),
    ageSeconds: lastSync === undefined ? null : ageOf(lastSync),
    lastFullScrub: lastFull?.toISOString() ?? null,
    fullScrubAgeSeconds: lastFull ? ageOf(lastFull.getTime()) : null,
    master: found?.master ?? null,
    lag: found?.lag
      ? { seconds: found.lag.seconds, transactions: found.lag.transactions, bytes: found.lag.bytes }
      : null,
    promoted: promotion
      ? {
          at: new Date(promotion.at).toISOString(),
          position: promotion.position,
          tid: formatTid(promotion.tid),
          time: tidToIso(promotion.tid),
        }
      : null,
    keptAside: keptAside(paths).map(({ path, size, writtenAt }) => ({
      path,
      size,
      written: new Date(writtenAt).toISOString(),
      ageSeconds: ageOf(writtenAt),
    })),
  };
}

function nameOf(role: KnownRole, hasDat: boolean): Standing['role'] {
  if ('problem' in role) return 'unreadable';
  if (role.from === 'nothing') return hasDat ? 'slave' : 'none';
  return role.facts.role === 'master' ? 'promoted' : role.facts.role;
}

/** Whole seconds since a moment given in milliseconds since the epoch; 0 where the clock was set back. */
function ageOf(moment: number): number {
  return Math.max(0, Math.round((Date.now() - moment) / 1000));
}

async function lookAtMaster(
  theirs: Awaited<ReturnType<typeof findSideOrFault>>,
  inDirectory: string,
  patience: Patience,
  claim: { readonly position: number; readonly tid: bigint } | undefined,
): Promise<{ readonly master: NonNullable<Standing['master']>; readonly lag: Lag | undefined }> {
  if (theirs.fault) throw theirs.fault;
  const path = fileOf(theirs, inDirectory);
  const observed = await observeMaster(path, patience, undefined);
  if (!('master' in observed)) {
    return { master: { path, problem: observed.state.reason, lastTid: null, lastTime: null }, lag: undefined };
  }
  const { master } = observed;
  try {
    const lag = await findLag(master, claim ?? { position: 4, tid: 0n }, new Window(WINDOW_BYTES));
    const { masterTid } = lag;
    const last = {
      lastTid: masterTid === undefined ? null : formatTid(masterTid),
      lastTime: masterTid === undefined ? null : tidToIso(masterTid),
    };
    return { master: { path, problem: null, ...last }, lag: claim && lag };
  } finally {
    master.close();
  }
}
