import { NeededBlobs } from '../blobs/needed.js';
import type { StandbyBlobs } from '../blobs/standby-blobs.js';
import type { Magic } from '../filestorage/layout.js';
import { removeIfThere, syncDirectory } from '../io/directory.js';
import { NOTHING_YET } from '../pipeline/chunk-table.js';
import { Exchanged } from '../pipeline/copy.js';
import type { Master } from '../pipeline/master.js';
import type { Resume } from '../pipeline/resume.js';
import { claim, identityOf, type Work } from '../pipeline/work.js';
import type { BlobsClaim } from '../standby/blobs-claim.js';
import type { Dat } from '../standby/dat.js';

export interface Bringing {
  readonly work: Work;
  readonly blobs: StandbyBlobs;
  readonly master: Master;
  readonly magic: Magic;
  readonly inode: string;
  /** The `.dat` whose claim ends at the place in question; undefined where there is none. */
  readonly known: Dat | undefined;
}

/**
 * Brings all blobs of the transactions before `resume`, which the slave shows already, and publishes a `.dat` that claims
 * them. Where the claim has them, only those are tried again that were missing. Returns the `.dat` that then holds.
 *
 * Write order of a new manifest: the manifest under another name; the `.dat`, whose replacement makes both names durable;
 * the manifest's own name.
 */
export async function bringUpTo(resume: Resume, bringing: Bringing): Promise<Dat | undefined> {
  const { work, blobs, master, magic, inode, known } = bringing;
  if (known?.blobs && blobs.covers(known)) {
    const claimed = await blobs.retryMissing(known.blobs, master);
    const { copiedFrom, torn } = known;
    const details = { copiedFrom, torn, blobs: claimed };
    const dat = claimed === known.blobs ? known : claim(work, resume, known.master, inode, details);
    // Of an earlier run, which was ended behind its claim. A journal of a rebuild that is not done yet is of use to the next.
    removeIfThere(work.paths.blobsJournal);
    await blobs.removePacked(claimed);
    return dat;
  }
  const needed = blobs.byRecords ? await neededBy(resume, work, master) : new NeededBlobs();
  const claimed = await blobs.establish(needed, master, resume.tid, { sameHistory: true });
  if (!(await master.isStillThere())) throw new Exchanged(master.path);
  syncDirectory(work.paths.directory);
  const details = { copiedFrom: known?.copiedFrom, torn: known?.torn, blobs: claimed };
  const dat = claim(work, resume, known?.master ?? identityOf(master, magic), inode, details);
  await blobs.place(claimed);
  return dat;
}

/** The blobs that the master's transactions before `resume` name, read from the master. */
async function neededBy(resume: Resume, { source }: Work, master: Master): Promise<NeededBlobs> {
  const needed = new NeededBlobs();
  const receiver = { namesBlobs: true, unhashed: true, knownChunks: resume.chunks, goBackTo: (): void => {} };
  let reachedEnd = NOTHING_YET.position;
  if (resume.position > reachedEnd) {
    await source.run(master.upTo(resume.position), NOTHING_YET, receiver, async ({ position }, facts) => {
      reachedEnd = position;
      await needed.add(facts.blobs, master);
    });
  }
  if (reachedEnd !== resume.position) throw new Exchanged(master.path);
  return needed;
}

/**
 * Brings the blobs that a new file of the slave needs, before it is put in its place. What a pack removed from the
 * master is removed here only where the lineage proves the pack.
 *
 * @param compareBlobs compare every file with the master's
 */
export async function bringAll(
  blobs: StandbyBlobs,
  needed: NeededBlobs,
  master: Master,
  resume: Resume,
  { compareBlobs = false, proven }: { readonly compareBlobs?: boolean; readonly proven: boolean },
): Promise<BlobsClaim> {
  const known = compareBlobs ? 'compare' : { sameHistory: proven };
  const claimed = await blobs.establish(needed, master, resume.tid, known);
  if (proven) blobs.noteBefore();
  return claimed;
}
