import { type Change, type FileId, isOfSlave } from './change.js';
import { datIn, type Image } from './image.js';
import { type Disk, ModelDisk } from './model-disk.js';

export const DATA = 'Data.fs';
export const DAT = 'Data.fs.dat';
/** The `.dat` of a rebuild, until its rename after the swap. */
export const NEW_DAT = 'Data.fs.new.dat';
export const ROLE = 'Data.fs.role';
export const SCRUB = 'Data.fs.scrub';
export const INDEX = 'Data.fs.index';
export const JOURNAL = 'Data.fs.blobs.journal';

/** An index that a run wrote or removed. */
export interface IndexTurn {
  readonly at: number;
  /** Number of the change after which it must be durable; -1 for a removed one. */
  readonly returnedAt: number;
  readonly index: Image | undefined;
}

/** A `.dat` that a run published. */
export interface Publication {
  /**
   * Numbers of the change from which it counts, and of the change after which it must be durable. That of a rebuild counts
   * from the swap, because it is durable under its own name before.
   */
  readonly renamedAt: number;
  readonly returnedAt: number;
  readonly dat: Image;
  /** The slave's file, and its bytes up to the claim. */
  readonly slave: FileId;
  readonly claimed: Uint8Array;
  /** It was created with the file that it describes. */
  readonly bySwap: boolean;
}

/** A role file that a run published. */
export interface RoleTurn {
  readonly at: number;
  readonly returnedAt: number;
  readonly role: Image;
}

/** What a run did, as far as a judge needs it. The numbers are those of its changes. */
export interface History {
  readonly publications: readonly Publication[];
  /** Where the run truncated the slave, made a batch visible or replaced the file, and what the slave shows since then. */
  readonly turns: readonly { readonly at: number; readonly shown: Uint8Array }[];
  readonly indexes: readonly IndexTurn[];
  readonly roles: readonly RoleTurn[];
  /** What a journal of blobs holds durably; undefined: it was removed. */
  readonly journals: readonly { readonly at: number; readonly bytes: Uint8Array | undefined }[];
  /** How many changes of owner and mode each file got. */
  readonly attributes: ReadonlyMap<FileId, number>;
}

/** Reads the history from a record. Throws when a run published an invalid `.dat`. */
export function historyOf(start: Disk, changes: readonly Change[]): History {
  const disk = new ModelDisk(start);
  const publications: Publication[] = [];
  const turns: { at: number; shown: Uint8Array }[] = [];
  const indexes: IndexTurn[] = [];
  const roles: RoleTurn[] = [];
  const journals: { at: number; bytes: Uint8Array | undefined }[] = [];
  const attributes = new Map<FileId, number>();
  for (const [index, change] of changes.entries()) {
    disk.apply(change);
    const data = disk.seen().names.get(DATA);
    if (change.kind === 'attributes') attributes.set(change.file, (attributes.get(change.file) ?? 0) + 1);
    if ((change.kind === 'truncate' || isFlip(change)) && change.file === data) {
      turns.push({ at: index, shown: disk.seenOf(change.file).bytes });
    }
    // A rebuild shows the new file from its swap on; killed before the .dat, the next run may rebuild once more.
    if (change.kind === 'rename' && change.to === DATA)
      turns.push({ at: index, shown: disk.seenOf(change.file).bytes });
    if (change.kind === 'unlink' && change.name === INDEX)
      indexes.push({ at: index, returnedAt: -1, index: undefined });
    if (change.kind === 'rename' && change.to === INDEX) {
      const returnedAt = changes.findIndex(
        (later, at) => at > index && later.kind === 'sync-directory' && isOfSlave(later),
      );
      indexes.push({ at: index, returnedAt, index: disk.seenOf(change.file) });
    }
    if (change.kind === 'rename' && change.to === ROLE) {
      const returnedAt = changes.findIndex((later, at) => at > index && isReturn(later, 'publishRole'));
      roles.push({ at: index, returnedAt, role: disk.seenOf(change.file) });
    }
    const journal = disk.seen().names.get(JOURNAL);
    if (change.kind === 'unlink' && change.name === JOURNAL) journals.push({ at: index, bytes: undefined });
    if (change.kind === 'sync' && change.file === journal)
      journals.push({ at: index, bytes: disk.seenOf(change.file).bytes });
    const bySwap = change.kind === 'rename' && change.to === DATA && comesWithDat(change, disk);
    const published = change.kind === 'rename' && change.to === DAT && change.from !== NEW_DAT;
    if (bySwap || published) {
      const image = bySwap ? comingDat(disk) : disk.seenOf(change.file);
      const dat = image && datIn(image);
      if (!image || !dat) throw new Error('a run has published something that is no .dat');
      const slave = Number(dat.slaveInode);
      if (bySwap && slave !== change.file) throw new Error('the .dat that is ready for a swap means another file');
      const claimed = disk.seenOf(slave).bytes.subarray(0, dat.claim.position);
      const within = bySwap ? 'swap' : 'publishDat';
      const returnedAt = changes.findIndex((later, at) => at > index && isReturn(later, within));
      publications.push({ renamedAt: index, returnedAt, dat: image, slave, claimed, bySwap });
    }
  }
  return { publications, turns, indexes, roles, journals, attributes };
}

/** Batch.flip writes one byte. */
export function isFlip(change: Change): change is Extract<Change, { kind: 'write' }> {
  return change.kind === 'write' && change.within.includes('flip');
}

/** Publishing, and the swap, end with a sync of the directory. */
function isReturn(change: Change, within: string): boolean {
  return change.kind === 'sync-directory' && isOfSlave(change) && change.within.includes(within);
}

/** This holds for every swap of a rebuild, but not for a slave that a scenario replaced. */
function comesWithDat(change: Change & { readonly file: FileId }, disk: ModelDisk): boolean {
  const coming = comingDat(disk);
  const dat = coming && datIn(coming);
  return change.within.includes('swap') || (dat !== undefined && Number(dat.slaveInode) === change.file);
}

function comingDat(disk: ModelDisk): Image | undefined {
  const file = disk.seen().names.get(NEW_DAT);
  return file === undefined ? undefined : disk.seenOf(file);
}
