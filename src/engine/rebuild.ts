import { MAGIC_LENGTH, type Magic } from '../filestorage/layout.js';
import { formatTid } from '../filestorage/tid.js';
import { link, removeIfThere, rename, syncDirectory } from '../io/directory.js';
import { factsOfPath } from '../io/facts.js';
import { IoFault } from '../io/fault.js';
import { OpenFile } from '../io/open-file.js';
import { applyOwnership, type Ownership } from '../io/replace.js';
import type { Written } from './append.js';
import type { ChunkFacts } from './chunk.js';
import { NOTHING_YET } from './chunk-table.js';
import { copy, Exchanged, type Target } from './copy.js';
import type { Resume } from './facts.js';
import { type IndexMaker, indexMaker } from './index-maker.js';
import type { Master } from './master.js';
import { leaveIndex } from './slave-index.js';
import { Copied, claim, identityOf, tellWarnings, type Work } from './work.js';

export interface RebuildOptions {
  /** Last tid of an old slave that has to be kept aside; undefined: it may go. */
  readonly keepOld: { readonly lastTid: bigint } | undefined;
  /** A transaction that both have: a new file that ends before it is not the whole master. undefined: none is known. */
  readonly mustReach: bigint | undefined;
  /** A damaged master replaces nothing, but something is better than no slave at all. */
  readonly takeDamaged: boolean;
}

/** The owner that a squashing NFS server or an unmapped id shows. */
const NOBODY = 65_534;
const OWNER_MAY_WRITE = 0o600;
/** What a file system without hard links, or with no more of them for this file, answers. */
const NO_LINKS: ReadonlySet<string> = new Set(['EPERM', 'ENOSYS', 'ENOTSUP', 'EOPNOTSUPP', 'EMLINK', 'EXDEV']);

/**
 * Makes the slave anew: everything into `Data.fs.new`, then the swap.
 *
 * Order: body and attributes durable, the old file's second name (if it is kept), the old index removed, directory fsync,
 * rename, directory fsync, `.dat`, the new index. The path holds the whole old file or the whole new one, never one with the
 * other's index. After a crash between rename and `.dat` the new file is adopted by its bytes.
 */
export async function rebuild(work: Work, opened: Master, magic: Magic, options: RebuildOptions): Promise<Written> {
  work.beforeWriting?.();
  if (work.indexLagBytes === undefined) return fillAndSwap(work, opened, magic, options, undefined);
  const maker = await indexMaker(opened.size >= work.indexThreadFrom);
  try {
    return await fillAndSwap(work, opened, magic, options, maker);
  } finally {
    await maker.close();
  }
}

async function fillAndSwap(
  work: Work,
  opened: Master,
  magic: Magic,
  options: RebuildOptions,
  maker: IndexMaker | undefined,
): Promise<Written> {
  const { paths } = work;
  removeIfThere(paths.fresh);
  const file = OpenFile.createNew(paths.fresh);
  let swapped = false;
  try {
    file.write(Buffer.from(magic, 'latin1'), 0);
    const filling = new Filling(work, file, maker);
    const { resume, end, master } = await copy(opened, work.source, NOTHING_YET, filling, work.patience);
    const unusable = end.kind === 'damaged' && (!options.takeDamaged || resume.position === MAGIC_LENGTH);
    if (unusable) return { resume, end, copied: new Copied(), dat: undefined };
    if (options.mustReach !== undefined && resume.tid < options.mustReach) {
      const detail = `the file breaks off here, before transaction ${formatTid(options.mustReach)}, which it has`;
      throw new IoFault('read', master.path, 'ETORN', detail, resume.position);
    }
    filling.finish(resume);
    applyOwnership(file, ownershipOf(master, work));
    file.sync();
    if (!(await master.isStillThere())) throw new Exchanged(master.path);
    swap(work, options);
    swapped = true;
    const dat = claim(work, resume, identityOf(master, magic), file.facts().inode, {
      copiedFrom: MAGIC_LENGTH,
    });
    filling.copied.batches = 1;
    if (maker) await leaveIndex(work, maker, resume.position);
    return { resume, end, copied: filling.copied, dat };
  } finally {
    file.close();
    if (!swapped) removeIfThere(paths.fresh);
  }
}

class Filling implements Target {
  readonly copied = new Copied();
  private position = MAGIC_LENGTH;
  private highest = MAGIC_LENGTH;
  private before: Resume = NOTHING_YET;

  constructor(
    private readonly work: Work,
    private readonly file: OpenFile,
    readonly records: IndexMaker | undefined,
  ) {}

  write(bytes: Uint8Array, position: number): void {
    if (position !== this.position) throw new RangeError(`written to ${this.position}, next piece at ${position}`);
    this.file.write(bytes, position);
    this.position = position + bytes.length;
    this.highest = Math.max(this.highest, this.position);
  }

  goBackTo(end: number): void {
    this.position = end;
    this.records?.goBackTo(end);
  }

  async reached(resume: Resume, facts: ChunkFacts): Promise<void> {
    this.copied.add(this.before, resume, facts);
    tellWarnings(this.work, facts);
    this.before = resume;
  }

  finish(resume: Resume): void {
    this.records?.allTold();
    if (this.highest > resume.position) this.file.truncate(resume.position);
  }
}

/** The master's, but its owner may write: a snapshot may be read-only, a standby has to be appended to and to serve. */
function ownershipOf(master: Master, work: Work): Ownership {
  const { mode, uid, gid } = master.facts;
  const directory = work.paths.directoryFacts;
  return {
    mode: mode | OWNER_MAY_WRITE,
    uid: uid === NOBODY ? directory.uid : uid,
    gid: gid === NOBODY ? directory.gid : gid,
  };
}

function swap(work: Work, options: RebuildOptions): void {
  const { paths, tell } = work;
  if (options.keepOld) {
    const aside = keepAside(paths.data, paths.onlyHere(formatTid(options.keepOld.lastTid)));
    tell({ level: 'warn', message: 'the old slave is kept aside', fields: { path: aside } });
  }
  removeIfThere(paths.index);
  syncDirectory(paths.directory);
  rename(paths.fresh, paths.data);
  syncDirectory(paths.directory);
}

/**
 * Gives the old file a second name, so that its own path never is without a file; moves it where links cannot be.
 * Returns the name: a number is added when another file already has the one that was wanted.
 */
function keepAside(data: string, wanted: string): string {
  const inode = factsOfPath(data)?.inode;
  for (let number = 0; ; number++) {
    const aside = number === 0 ? wanted : `${wanted}.${number}`;
    const there = factsOfPath(aside);
    // A run that was killed between this and the swap has already done it.
    if (there?.inode === inode) return aside;
    if (there) continue;
    try {
      link(data, aside);
    } catch (error) {
      if (!(error instanceof IoFault) || !NO_LINKS.has(error.code)) throw error;
      rename(data, aside);
    }
    return aside;
  }
}
