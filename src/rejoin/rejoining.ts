import { basename, join } from 'node:path';
import { MAGIC_LENGTH } from '../filestorage/layout.js';
import { ZERO_TID } from '../filestorage/tid.js';
import { listDirectory, removeIfThere, syncDirectory } from '../io/directory.js';
import { IoFault } from '../io/fault.js';
import { OpenFile } from '../io/open-file.js';
import { compare } from '../lineage/compare.js';
import { DEFAULT_CHUNK_BYTES, fittingChunkBytes } from '../pipeline/chunk-table.js';
import { observeMaster, observeSlave, usableDat } from '../pipeline/observe.js';
import type { Resume } from '../pipeline/resume.js';
import { readableFile } from '../pipeline/scan.js';
import { Window } from '../pipeline/window.js';
import { identityOf } from '../pipeline/work.js';
import { EXIT } from '../round/exit.js';
import type { Dat } from '../standby/dat.js';
import { readDatOf, settleDat } from '../standby/dat-file.js';
import { PathMistake, type SlavePaths } from '../standby/paths.js';
import { PLAIN_SLAVE, type RejoinMark, type RoleFacts } from '../standby/role.js';
import { publishRole } from '../standby/role-file.js';
import { RoleRefusal, roleOf } from '../standby/role-of.js';
import { estimate, toCopy } from './cost.js';
import { explain } from './explain.js';
import { type Fork, type ForkRequest, findFork, judgeLineage } from './find-fork.js';
import { finish } from './finish.js';
import { type Followed, follow } from './follow.js';
import { keepLost, lostAt } from './keep-lost.js';
import { findOnlyHere, type OnlyHere } from './only-here.js';
import { goesOn } from './proof.js';
import { RejoinRefusal } from './refusal.js';
import type { RejoinOptions } from './rejoin.js';
import { type endedBy, forkResult, type Known, type LostResult, lostResult } from './result.js';
import { cutToClaim, rewind } from './rewind.js';
import { readServing, refuseUnlessServing, type Serving } from './serving.js';

type End = ReturnType<typeof endedBy>;

const WINDOW_BYTES = 1 << 20;

/** What is going to be done. */
export interface RejoinPlan {
  readonly kind: 'none' | 'rewind' | 'full';
  /** undefined: nothing is common, or nothing is there. */
  readonly fork: Fork | undefined;
  /** undefined: it is not known, or nothing. */
  readonly here: OnlyHere | undefined;
  /** Stem of what an earlier run of this rejoin has kept. */
  readonly kept: string | undefined;
  /** What an earlier run has rewound already. */
  readonly isRewound: boolean;
}

/**
 * One run of a rejoin. The caller holds the slave's lock, except for a dry run.
 *
 * Write order: the role `rejoining`; what only the slave has, in a file of its own; the `.dat`, which claims the fork; the
 * role, from now on with the phase `rewound`; the cut; the rounds of a sync; the role `slave`; the switch. Each is durable before the next
 * begins. A run that is killed is gone on with: before `rewound` all is done again, after it the rounds go on.
 */
export class Rejoining {
  private readonly windows = [new Window(WINDOW_BYTES), new Window(WINDOW_BYTES)] as const;

  constructor(
    private readonly options: RejoinOptions,
    private readonly paths: SlavePaths,
    private readonly masterPath: string,
    /** Receives what becomes known. */
    private readonly note: (facts: Partial<Known>) => void,
  ) {}

  async run(): Promise<End> {
    const { paths, options, masterPath } = this;
    const own = ownRole(paths);
    const observed = await observeMaster(masterPath, options.deadline, undefined);
    if (!('master' in observed)) {
      const { state, reason } = observed.state;
      if (state === 'missing') throw new IoFault('open', masterPath, 'ENOENT', `master out of reach: ${reason}`);
      throw new RejoinRefusal(reason, 'MASTER has to be the Data.fs of the side that serves', EXIT.damaged);
    }
    const { master, magic } = observed;
    try {
      const serving = await readServing(master, options.deadline);
      refuseUnlessServing(serving, own, { master: masterPath, slave: paths.data }, options.full);
      this.refuseWithoutBlobs(serving);
      const plan = await this.plan(master, serving, own);
      const from = plan.kind === 'full' ? 0 : (plan.fork?.resume.position ?? 0);
      this.note({ fork: plan.fork ? forkResult(plan.fork.resume) : null });
      this.note({ toCopy: await toCopy(master, from, options.dryRun, this.windows[0]) });
      const { here } = plan;
      const lost = here && here.transactions > 0 ? { ...here, bytes: here.end - here.from } : undefined;
      if (lost) this.note({ lost: lostResult(lost, undefined, false) });
      for (const line of explain(plan, serving, { master, slave: paths.data, keepSwitch: options.keepSwitch }))
        options.say(line);
      if (options.dryRun) {
        this.note({ estimatedSeconds: estimate(master.size, from, plan.fork?.resume.position ?? 0) });
        return { action: plan.kind, reason: 'dry run: nothing was written', hint: null, exitCode: EXIT.ok };
      }
      return await this.carryOut(plan, serving, own, identityOf(master, magic));
    } finally {
      master.close();
    }
  }

  /** As a sync: blobs that were synced until now are not left behind silently. */
  private refuseWithoutBlobs({ dat }: Serving): void {
    if (this.options.sync.blobs !== undefined || !dat?.blobs) return;
    throw new PathMistake(
      `the side that serves has copied blobs as well (to ${dat.blobs.directory}), and --blobs is missing`,
      'name both directories: --blobs MASTER_DIR:SLAVE_DIR. To go on without blobs: --no-blobs',
    );
  }

  private async plan(master: ForkRequest['master'], serving: Serving, own: RoleFacts): Promise<RejoinPlan> {
    const { paths, options } = this;
    const { full, deadline, say } = options;
    const { state, inode } = observeSlave(paths);
    const kept = own.rejoin?.lost;
    const isRewound = own.rejoin?.phase === 'rewound';
    if (!options.dryRun) settleDat(paths, inode);
    const { dat } = usableDat(readDatOf(paths, inode), inode);
    if (state.state !== 'there') {
      if (full) return { kind: 'full', fork: undefined, here: undefined, kept, isRewound };
      const reason = `${paths.data} is ${state.state}: nothing can be rewound, and all of ${master.path} has to be copied`;
      throw new RejoinRefusal(reason, `run with --full, which copies ${master.size} bytes`);
    }
    const file = OpenFile.openHere(paths.data);
    try {
      const slave = readableFile(file);
      const chunkBytes = fittingChunkBytes(options.sync.chunkBytes ?? DEFAULT_CHUNK_BYTES, master.size);
      const request = { master, slave, chunkBytes, windows: this.windows, serving, own, dat, deadline, say };
      if (full) return await this.fullPlan(request, isRewound, kept);
      if (isRewound && dat) {
        const fork = resumed(dat);
        return { kind: 'rewind', fork, here: await this.committedSince(request, fork.resume), kept, isRewound };
      }
      const fork = await findFork(request);
      const here = await findOnlyHere(slave, fork.resume, this.windows[0]);
      const isSlave = own.role === 'slave' && dat !== undefined && dat.claim.position === fork.resume.position;
      const isNone = isSlave && here.transactions === 0 && here.rest === 0;
      return { kind: isNone ? 'none' : 'rewind', fork, here, kept, isRewound: false };
    } finally {
      file.closeQuietly();
    }
  }

  /**
   * What a server shows behind the claim of a slave that was rewound, and MASTER does not have: what was kept and is not cut yet,
   * or what a server that nobody should have started has committed since.
   */
  private async committedSince(request: ForkRequest, claim: Resume): Promise<OnlyHere | undefined> {
    const { master, slave, chunkBytes, windows } = request;
    const goesOnThere = await goesOn(request, claim.position);
    const from = goesOnThere ? await compare(master, slave, claim, chunkBytes, windows) : claim;
    const here = await findOnlyHere(slave, from, windows[0]);
    return here.transactions > 0 ? here : undefined;
  }

  private async fullPlan(request: ForkRequest, isRewound: boolean, kept: string | undefined): Promise<RejoinPlan> {
    if (isRewound) return { kind: 'full', fork: undefined, here: undefined, kept, isRewound };
    request.say('all of both files is read, to find what only SLAVE has');
    const { sides } = await judgeLineage(request);
    const { common, onlyHere, complete } = sides;
    const has = (onlyHere.count > 0 || !complete) && common !== undefined;
    const resume = common && { position: common.slaveEnd, tid: common.tid, chunks: [], tailState: '' };
    const here = has && resume ? await findOnlyHere(request.slave, resume, this.windows[0]) : undefined;
    return {
      kind: 'full',
      fork: resume && { resume, how: 'by the transactions of both files' },
      here,
      kept,
      isRewound,
    };
  }

  private async carryOut(plan: RejoinPlan, serving: Serving, own: RoleFacts, master: Dat['master']): Promise<End> {
    const { options, paths } = this;
    if (plan.kind !== 'none') {
      const refused = await this.refusedByPeople(plan);
      if (refused) return refused;
    }
    const before = asideOf(paths);
    let stem = plan.kept;
    if (plan.kind !== 'none') stem = await this.prepare(plan, own, master);
    if (plan.kind === 'rewind') {
      const claimed = this.claimed(plan);
      cutToClaim(paths, claimed);
    }
    const lost = await this.noteLost(stem);
    const followed = await this.follow(plan);
    const { bytes, transactions, result } = followed;
    this.note({ copied: { bytes, transactions } });
    if (plan.kind === 'full') {
      const aside = asideOf(paths).find((name) => !before.includes(name));
      if (aside !== undefined) this.note({ kept: join(paths.directory, aside) });
    }
    const { exitCode, reason, hint } = result;
    if (!followed.isInStep) {
      const again = `${hint ?? ''}${hint ? '; ' : ''}the rejoin goes on where it was when it is run again`;
      const action = result.action === 'refused' ? 'refused' : 'failed';
      return { action, reason, hint: exitCode === EXIT.refused ? hint : again, exitCode: exitCode || EXIT.fault };
    }
    return finish({ plan, serving, lost, followed, paths, options });
  }

  /** The hook and the operator, before the first write. */
  private async refusedByPeople(plan: RejoinPlan): Promise<End | undefined> {
    const { options, paths, masterPath } = this;
    const { here, fork } = plan;
    const facts = {
      master: masterPath,
      position: fork?.resume.position ?? null,
      lostTransactions: here?.transactions ?? 0,
      action: plan.kind,
    };
    const veto = await options.before(paths, facts);
    if (veto) return { action: 'refused', ...veto, exitCode: EXIT.refused };
    if (await options.confirm()) return undefined;
    return { action: 'refused', reason: 'not wanted: nothing was changed', hint: null, exitCode: EXIT.refused };
  }

  /** Up to the phase `rewound`, or for --full up to the rebuild. Returns the stem of what was kept. */
  private async prepare(plan: RejoinPlan, own: RoleFacts, master: Dat['master']): Promise<string | undefined> {
    const { paths, options } = this;
    const { fork, here } = plan;
    const { position, tid } = fork?.resume ?? { position: MAGIC_LENGTH, tid: ZERO_TID };
    const since = own.rejoin?.since ?? Date.now();
    const kept = plan.kept === undefined ? {} : { lost: plan.kept };
    let mark: RejoinMark = { position, tid, since, phase: 'begun', ...kept };
    const role: RoleFacts = { role: 'rejoining', terms: own.terms };
    if (!plan.isRewound) publishRole(paths, { ...role, rejoin: mark });
    if (here && here.transactions > 0) {
      options.say('keeping what only SLAVE has...');
      const file = OpenFile.openHere(paths.data);
      try {
        const lost = await keepLost(paths, readableFile(file), here, this.windows[0], options.deadline.signal);
        mark = { ...mark, lost: lost.stem };
      } finally {
        file.closeQuietly();
      }
    }
    if (plan.isRewound) return mark.lost;
    if (plan.kind === 'full') {
      publishRole(paths, { ...role, rejoin: mark });
      for (const path of [paths.dat, paths.freshDat]) removeIfThere(path);
      syncDirectory(paths.directory);
    } else if (fork) {
      options.say(`rewinding SLAVE to ${position}...`);
      const end = here?.end ?? position;
      const tail = rewind(paths, { fork: fork.resume, end, master, blobs: undefined, role, mark });
      if (tail !== undefined) this.note({ kept: tail });
    }
    return mark.lost;
  }

  private claimed({ fork }: RejoinPlan): number {
    if (!fork) throw new Error('a rewind without a fork');
    return fork.resume.position;
  }

  private async noteLost(stem: string | undefined): Promise<LostResult | null> {
    const found = stem === undefined ? undefined : await lostAt(this.paths, stem, this.windows[0]);
    const lost = found ? lostResult(found, found.names, false) : null;
    this.note({ lost });
    return lost;
  }

  private follow(plan: RejoinPlan): Promise<Followed> {
    const { options, paths, masterPath } = this;
    const { deadline, log, statusFile, storage, sync, say } = options;
    return follow({
      sync: {
        ...sync,
        master: masterPath,
        slave: paths.data,
        file: basename(paths.data),
        statusFile,
        log,
        deadline,
        storage,
        scrub: 0,
        onEvents: options.onEvents,
      },
      full: plan.kind === 'full',
      isAsLeft: plan.kind === 'rewind' && !plan.isRewound,
      onRound: (number) => {
        if (number === 1) say(plan.kind === 'full' ? 'copying all of MASTER...' : 'following MASTER...');
      },
    });
  }
}

function resumed({ claim, chunks, tailState }: Dat): Fork {
  return { resume: { ...claim, chunks, tailState }, how: 'by an earlier run of this rejoin' };
}

/** Names of old files that rebuilds have kept. */
function asideOf(paths: SlavePaths): readonly string[] {
  return listDirectory(paths.directory).filter((name) => name.startsWith(basename(paths.onlyHere(''))));
}

/** Throws a RoleRefusal where it is not known what an earlier command has begun here. */
function ownRole(paths: SlavePaths): RoleFacts {
  const known = roleOf(paths);
  if ('facts' in known) return known.facts;
  if (known.path === paths.dat) return PLAIN_SLAVE;
  const hint = `restore ${known.path} from a backup; move it aside only if you know that no rejoin has begun here`;
  throw new RoleRefusal(known.problem, hint);
}
