import { MAGIC_LENGTH, magicOf } from '../filestorage/layout.js';
import { OpenFile } from '../io/open-file.js';
import { compare } from '../lineage/compare.js';
import { DEFAULT_CHUNK_BYTES, fittingChunkBytes } from '../pipeline/chunk-table.js';
import { observeSlave, usableDat } from '../pipeline/observe.js';
import type { Resume } from '../pipeline/resume.js';
import { type Readable, readableFile } from '../pipeline/scan.js';
import { formatCount } from '../report/numbers.js';
import { EXIT } from '../round/exit.js';
import type { Dat } from '../standby/dat.js';
import { readDatOf, settleDat } from '../standby/dat-file.js';
import type { SlavePaths } from '../standby/paths.js';
import { datOfServing } from './dat-of-serving.js';
import { type Fork, type ForkRequest, findFork, judgeLineage } from './find-fork.js';
import { findOnlyHere, type OnlyHere } from './only-here.js';
import type { RejoinOptions } from './options.js';
import { goesOn } from './proof.js';
import { RejoinRefusal } from './refusal.js';

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
  /** The `.dat` of MASTER and that of SLAVE, where they describe the two files. */
  readonly theirs?: Dat | undefined;
  readonly dat?: Dat | undefined;
}

export interface PlanRequest extends Pick<ForkRequest, 'master' | 'serving' | 'own' | 'windows'> {
  readonly paths: SlavePaths;
  readonly options: Pick<RejoinOptions, 'full' | 'dryRun' | 'deadline' | 'say' | 'sync'>;
}

/** Decides what a rejoin does. Changes nothing. Throws a RejoinRefusal where it must not go on. */
export async function planRejoin({ paths, options, ...sides }: PlanRequest): Promise<RejoinPlan> {
  const { master, own } = sides;
  const { full, dryRun, deadline, say } = options;
  const { state, inode } = observeSlave(paths);
  const kept = own.rejoin?.lost;
  const isRewound = own.rejoin?.phase === 'rewound';
  if (!dryRun) settleDat(paths, inode);
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
    const both = { ...sides, slave, chunkBytes };
    if (!full) await refuseOtherFile(slave, master);
    const theirs = await datOfServing(both, sides.serving);
    const request = { ...both, dat, theirs, deadline, say };
    if (full) return await fullPlan(request, isRewound, kept);
    if (isRewound && dat) {
      const fork = resumed(dat);
      return { kind: 'rewind', fork, here: await committedSince(request, fork.resume), kept, isRewound };
    }
    const fork = await findFork(request);
    const here = await findOnlyHere(slave, fork.resume, sides.windows[0]);
    const isSlave = own.role === 'slave' && dat !== undefined && dat.claim.position === fork.resume.position;
    const isNone = isSlave && here.transactions === 0 && here.rest === 0;
    return { kind: isNone ? 'none' : 'rewind', fork, here, kept, isRewound: false, theirs, dat };
  } finally {
    file.closeQuietly();
  }
}

/** Of another kind of file nothing can be kept, and nothing be said of its history. */
async function refuseOtherFile(slave: Readable, master: Readable): Promise<void> {
  const bytes = new Uint8Array(MAGIC_LENGTH);
  const length = await slave.readBytes(bytes, 0);
  if (length === MAGIC_LENGTH && magicOf(bytes) !== undefined) return;
  const reason = `${slave.path} is not a Data.fs: it does not begin with FS21 or FS30`;
  const cost = `with --full, all of ${master.path} is copied (${formatCount(master.size, 'byte')}), and that file is kept aside`;
  throw new RejoinRefusal(reason, `is SLAVE the right file? Only if it is: ${cost}`, EXIT.damaged);
}

/**
 * What a server shows behind the claim of a slave that was rewound, and MASTER does not have: what was kept and is not cut yet, or
 * what a server that nobody should have started has committed since.
 */
async function committedSince(request: ForkRequest, claim: Resume): Promise<OnlyHere | undefined> {
  const { master, slave, chunkBytes, windows } = request;
  const isMasters = await goesOn(request, claim.position);
  const from = isMasters ? await compare(master, slave, claim, chunkBytes, windows) : claim;
  const here = await findOnlyHere(slave, from, windows[0]);
  return here.transactions > 0 ? here : undefined;
}

async function fullPlan(request: ForkRequest, isRewound: boolean, kept: string | undefined): Promise<RejoinPlan> {
  if (isRewound) return { kind: 'full', fork: undefined, here: undefined, kept, isRewound };
  request.say('all of both files is read, to find what only SLAVE has');
  const { sides } = await judgeLineage(request);
  const { common, onlyHere, complete } = sides;
  const has = (onlyHere.count > 0 || !complete) && common !== undefined;
  const resume = common && { position: common.slaveEnd, tid: common.tid, chunks: [], tailState: '' };
  const here = has && resume ? await findOnlyHere(request.slave, resume, request.windows[0]) : undefined;
  const fork = resume && { resume, how: 'by the transactions of both files' };
  return { kind: 'full', fork, here, kept, isRewound };
}

function resumed({ claim, chunks, tailState }: Dat): Fork {
  return { resume: { ...claim, chunks, tailState }, how: 'by an earlier run of this rejoin' };
}
