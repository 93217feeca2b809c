import { basename, join } from 'node:path';
import { openBothTrees } from '../blobs/both-trees.js';
import type { BlobSettings } from '../blobs/settings.js';
import { listDirectory } from '../io/directory.js';
import { IoFault } from '../io/fault.js';
import { observeMaster, observeSlave, usableDat } from '../pipeline/observe.js';
import type { Resume } from '../pipeline/resume.js';
import { Window } from '../pipeline/window.js';
import { identityOf } from '../pipeline/work.js';
import { EXIT } from '../round/exit.js';
import type { Dat } from '../standby/dat.js';
import { readDatOf } from '../standby/dat-file.js';
import { PathMistake, type SlavePaths } from '../standby/paths.js';
import { PLAIN_SLAVE, type RoleFacts } from '../standby/role.js';
import { RoleRefusal, roleOf } from '../standby/role-of.js';
import { estimate, toCopy } from './cost.js';
import { coverSlave } from './cover.js';
import { explain } from './explain.js';
import { finish } from './finish.js';
import { type Followed, follow } from './follow.js';
import { blobsNotKept, completeReports, type KeptLost, lostAt } from './keep-lost.js';
import type { RejoinOptions } from './options.js';
import { planRejoin, type RejoinPlan } from './plan.js';
import { prepare } from './prepare.js';
import { RejoinRefusal } from './refusal.js';
import { type endedBy, forkResult, type Known, lostResult } from './result.js';
import { cutToClaim } from './rewind.js';
import { removeLostBlobs } from './rewind-blobs.js';
import { readServing, refuseUnlessServing, type Serving } from './serving.js';

type End = ReturnType<typeof endedBy>;

const WINDOW_BYTES = 1 << 20;

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
      refuseUnlessServing(serving, own, { master: masterPath, slave: paths.data });
      this.refuseWithoutBlobs(serving);
      await this.refuseOtherTrees();
      const plan = await planRejoin({ master, serving, own, paths, options, windows: this.windows });
      const from = plan.kind === 'full' ? 0 : (plan.fork?.resume.position ?? 0);
      const fork = own.rejoin?.phase === 'rewound' ? own.rejoin : plan.fork?.resume;
      this.note({ fork: fork ? forkResult(fork) : null });
      this.note({ toCopy: await toCopy(master, from, options.dryRun, this.windows[0]) });
      const { here } = plan;
      const lost = here && here.transactions > 0 ? { ...here, bytes: here.end - here.from } : undefined;
      if (lost) this.note({ lost: lostResult(lost, undefined) });
      for (const line of explain(plan, serving, { master, slave: paths.data, keepSwitch: options.keepSwitch }))
        options.say(line);
      if (options.dryRun) {
        this.note({ estimatedSeconds: estimate(master.size, from, plan.fork?.resume.position ?? 0) });
        return { action: plan.kind, reason: 'dry run: nothing was written', hint: null, exitCode: EXIT.ok };
      }
      return await this.carryOut(plan, serving, own, identityOf(master, magic), fork);
    } finally {
      master.close();
    }
  }

  /** As a sync: blobs that were synced until now are not left behind silently. */
  private refuseWithoutBlobs({ dat }: Serving): void {
    if (this.options.sync.blobs !== undefined) return;
    const [theirs, ours] = [dat?.blobs, this.ownDat?.blobs];
    if (!theirs && !ours) return;
    throw new PathMistake(
      theirs
        ? `the side that serves has copied blobs as well (to ${theirs.directory}), and --blobs is missing`
        : `the blobs of SLAVE were copied as well (to ${ours?.directory}), and --blobs is missing`,
      'name both directories: --blobs MASTER_DIR:SLAVE_DIR. To go on without blobs: --no-blobs',
    );
  }

  /** A mistake in the blob directories is reported before anything is changed. */
  private async refuseOtherTrees(): Promise<void> {
    const { blobSettings } = this;
    if (blobSettings) await openBothTrees(blobSettings, this.ownDat?.blobs, this.options.deadline);
  }

  /** The `.dat` that describes SLAVE's file as it is now. */
  private get ownDat(): Dat | undefined {
    const { inode } = observeSlave(this.paths);
    return usableDat(readDatOf(this.paths, inode), inode).dat;
  }

  private async carryOut(
    plan: RejoinPlan,
    serving: Serving,
    own: RoleFacts,
    master: Dat['master'],
    fork: Pick<Resume, 'position' | 'tid'> | undefined,
  ): Promise<End> {
    const { options, paths, blobDirectory, blobSettings } = this;
    if (plan.kind !== 'none') {
      const refused = await this.refusedByPeople(plan);
      if (refused) return refused;
    }
    const before = asideOf(paths);
    let stem = plan.kept;
    if (plan.kind !== 'none') {
      const request = { plan, own, master, masterPath: this.masterPath, paths, blobSettings, window: this.windows[0] };
      const prepared = await prepare({ ...request, deadline: options.deadline, say: options.say });
      stem = prepared.stem;
      if (prepared.tail !== undefined) this.note({ kept: prepared.tail });
    }
    if (plan.kind === 'rewind') {
      const claimed = this.claimed(plan);
      cutToClaim(paths, claimed);
    }
    const lost = await this.lost(stem);
    await this.dropLostBlobs(lost, own, plan);
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
    if (lost && fork) {
      const place = { position: plan.kind === 'full' ? undefined : fork.position, tid: fork.tid };
      // A server that nobody should have started between two runs has left a second file of what was lost.
      const earlier = plan.kept === stem ? undefined : plan.kept;
      for (const each of [earlier && (await lostAt(paths, earlier, this.windows[0])), lost])
        if (each) await completeReports(paths, each, place, result.slave.claim ?? 0, this.windows[0]);
    }
    if (options.sync.index !== false) await coverSlave(paths, this.windows[0]);
    const known = lost ? lostResult(lost, lost.names) : null;
    const end = finish({ plan, serving, lost: known, followed, paths, options });
    return { ...end, hint: end.hint ?? (lost ? blobsNotKept(lost, blobDirectory) : null) };
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

  private claimed({ fork }: RejoinPlan): number {
    if (!fork) throw new Error('a rewind without a fork');
    return fork.resume.position;
  }

  /** What is kept under a stem. Notes it. */
  private async lost(stem: string | undefined): Promise<KeptLost | undefined> {
    const lost = stem === undefined ? undefined : await lostAt(this.paths, stem, this.windows[0]);
    this.note({ lost: lost ? lostResult(lost, lost.names) : null });
    return lost;
  }

  /** Until the first round has copied anything: then a blob of that name would be MASTER's. */
  private async dropLostBlobs(lost: KeptLost | undefined, own: RoleFacts, { kind, fork }: RejoinPlan): Promise<void> {
    const { paths, blobDirectory, windows } = this;
    const rewoundTo = own.rejoin?.phase === 'rewound' ? own.rejoin.position : fork?.resume.position;
    const dat = this.ownDat;
    if (!lost || blobDirectory === undefined || kind !== 'rewind' || dat?.claim.position !== rewoundTo) return;
    await removeLostBlobs(paths, lost, blobDirectory, dat?.blobs, windows[0]);
  }

  private get blobSettings(): BlobSettings | undefined {
    const { blobs } = this.options.sync;
    return typeof blobs === 'object' ? blobs : undefined;
  }

  private get blobDirectory(): string | undefined {
    return this.blobSettings?.slave;
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
