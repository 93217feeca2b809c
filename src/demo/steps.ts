import { TLOC_OFFSET, TRANSACTION_HEADER_LENGTH } from '../filestorage/layout.js';
import { formatTid } from '../filestorage/tid.js';
import { whileLive } from './live.js';
import { counted, inMiB, type StepRecorder } from './report.js';
import { cutFile, overwrite, readAll, type Stage, type SyncOutcome } from './stage.js';

/** One step of the demo: its title, and the function that runs it. */
export interface Step {
  readonly title: string;
  readonly run: (stage: Stage, step: StepRecorder) => Promise<void> | void;
}

const TRANSACTIONS = 40;
const PAGES_EACH = 50;
const LIVE_SYNCS = 12;
const CUT_BYTES = 100_000;
const BLOBS = 3;
const BLOB_BYTES = 20_000;

/** The life of a standby without failures: from the first copy to a packed master. */
export const REPLICATION: readonly Step[] = [
  { title: 'A site: a Data.fs with some transactions in it, and blobs', run: fillMaster },
  { title: 'The first sync copies all of it', run: firstSync },
  { title: 'A sync with nothing new copies nothing', run: nothingNew },
  { title: 'A sync after three commits appends those three', run: append },
  { title: 'A transaction in flight is never copied, what is committed before it is', run: inFlight },
  { title: `${LIVE_SYNCS} syncs in a row while the site goes on committing`, run: liveSyncs },
  { title: 'The master is packed: the slave is rebuilt, the old one stays usable until then', run: packed },
  { title: 'A slave that was cut short is repaired', run: cutShort },
  { title: 'A damaged transaction on the master is not copied, and its place is named', run: damagedMaster },
];

function fillMaster({ liveSite: site, blobs }: Stage, step: StepRecorder): void {
  for (let number = 0; number < TRANSACTIONS; number++) {
    const pages = Array.from({ length: PAGES_EACH }, (_, page) => 1 + ((number * PAGES_EACH) / 2 + page));
    const text = `Edition ${number} of a page. `.repeat(250);
    site.commit(site.pages(new Map(pages.map((page) => [page, `${page}: ${text}`])), `edition ${number}`));
  }
  site.commit({ user: 'editor', description: 'undo of an edit', edits: [{ oid: 30n, undo: true }] });
  for (let number = 1; number <= BLOBS; number++) blobs.commit(site, number, blobOf(`blob ${number}`));
  const size = `${inMiB(site.committedEnd)}, ${counted(site.transactions.length, 'transaction')}`;
  step.note(`${size}; ${counted(BLOBS, 'blob')} beside it`);
}

async function firstSync(stage: Stage, step: StepRecorder): Promise<void> {
  const { liveSite: site } = stage;
  const result = await stage.sync();
  noteCopied(step, result);
  step.equal('a full copy', result.action, 'full');
  step.equal('of every transaction', result.copied.transactions, site.transactions.length);
  checkInStep(stage, step, result);
}

async function nothingNew(stage: Stage, step: StepRecorder): Promise<void> {
  const result = await stage.sync();
  noteCopied(step, result);
  step.equal('nothing to do', result.action, 'none');
  step.equal('no byte copied', result.copied.bytes, 0);
  checkInStep(stage, step, result);
}

async function append(stage: Stage, step: StepRecorder): Promise<void> {
  const { liveSite: site, blobs } = stage;
  const before = site.committedEnd;
  for (const page of [1, 2000]) site.commit(site.pages(new Map([[page, `page ${page}, edited`]])));
  blobs.commit(site, 1, blobOf('an edited blob'));
  const result = await stage.sync();
  noteCopied(step, result);
  step.equal('an append', result.action, 'append');
  step.equal('of three transactions', result.copied.transactions, 3);
  step.equal('of the new bytes and no others', result.copied.bytes, site.committedEnd - before);
  step.equal('and of the one blob that they name', result.blobs?.copied ?? 0, 1);
  checkInStep(stage, step, result);
}

async function inFlight(stage: Stage, step: StepRecorder): Promise<void> {
  const { liveSite: site } = stage;
  site.commit(site.pages(new Map([[3, 'committed']])));
  const aborted = site.vote(site.pages(new Map([[4, 'voted, and aborted later']])));
  step.note(`transaction ${formatTid(aborted)} is voted, with status 'c', at ${site.committedEnd}`);
  const result = await stage.sync();
  noteCopied(step, result);
  step.equal('one transaction copied', result.copied.transactions, 1);
  checkInStep(stage, step, result);

  site.abort();
  site.commit(site.pages(new Map([[5, 'another transaction, in the place of the aborted one']])));
  step.note('the site aborts it and commits another one in its place');
  const after = await stage.sync();
  noteCopied(step, after);
  step.equal('one transaction copied', after.copied.transactions, 1);
  checkInStep(stage, step, after);
}

async function liveSyncs(stage: Stage, step: StepRecorder): Promise<void> {
  const results: SyncOutcome[] = [];
  const copies: Uint8Array[] = [];
  const complete: boolean[] = [];
  const live = await stage.handOver((site) =>
    whileLive(site, async () => {
      for (let round = 0; round < LIVE_SYNCS; round++) {
        await new Promise((resolve) => setTimeout(resolve, 50));
        results.push(await stage.sync());
        const copy = readAll(stage.slaveFile);
        copies.push(copy);
        complete.push(stage.hasBlobsOf(copy));
      }
    }),
  );
  const copied = results.reduce((sum, result) => sum + result.copied.transactions, 0);
  step.note(`the site made ${counted(live.commits, 'commit')} and ${counted(live.aborts, 'abort')}`);
  step.note(`the syncs copied ${counted(copied, 'transaction')}`);
  step.check(
    'every sync ended with 0',
    results.every(({ exitCode }) => exitCode === 0),
    results.map(({ exitCode }) => exitCode).join(' '),
  );
  const master = readAll(stage.masterFile);
  const ends = new Set(stage.liveSite.transactions.map(({ position }) => position).concat(stage.liveSite.committedEnd));
  step.check(
    'after every sync the slave was the master up to the end of a transaction',
    copies.every((copy) => ends.has(copy.length) && Buffer.compare(copy, master.subarray(0, copy.length)) === 0),
  );
  step.check('and had every blob that these transactions name', !complete.includes(false), complete.join(' '));
  const last = await stage.sync();
  step.equal('nothing is missing in the end', copied + last.copied.transactions, live.commits);
  checkInStep(stage, step, last);
}

async function packed(stage: Stage, step: StepRecorder): Promise<void> {
  const { liveSite: site, blobs } = stage;
  const before = site.committedEnd;
  const tid = site.lastTid;
  site.pack();
  const gone = blobs.removeUnnamed(site.transactions);
  step.note(`packed from ${inMiB(before)} to ${inMiB(site.committedEnd)}; the last tid stays ${formatTid(tid)}`);
  site.commit(site.pages(new Map([[6, 'after the pack']])));
  const result = await stage.sync();
  noteCopied(step, result);
  step.equal('a rebuild', result.action, 'rebuild');
  const isGone = gone.length > 0 && !gone.some((path) => stage.slaveHas(path));
  step.check('the blob that the pack removed is removed here, too', isGone);
  checkInStep(stage, step, result);
}

async function cutShort(stage: Stage, step: StepRecorder): Promise<void> {
  const size = stage.liveSite.committedEnd - CUT_BYTES;
  cutFile(stage.slaveFile, size);
  step.note(`the slave loses its last ${inMiB(CUT_BYTES)}`);
  const result = await stage.sync();
  noteCopied(step, result);
  step.equal('an append, from the last verified place', result.action, 'append');
  checkInStep(stage, step, result);
}

async function damagedMaster(stage: Stage, step: StepRecorder): Promise<void> {
  const { liveSite: site } = stage;
  const end = site.committedEnd;
  const damaged = site.commit(site.pages(new Map([[11, 'to be damaged']])));
  site.commit(site.pages(new Map([[12, 'sound, behind the damaged one']])));
  const place = end + TRANSACTION_HEADER_LENGTH + 'editor'.length + 'edited'.length + TLOC_OFFSET;
  const sound = overwrite(stage.masterFile, new Uint8Array(8), place);
  step.note(`zeros stand at ${place} in the master's Data.fs, in transaction ${formatTid(damaged)}`);
  const result = await stage.sync();
  noteCopied(step, result);
  step.equal('exit status 4', result.exitCode, 4);
  const json = JSON.stringify(result);
  step.check('the transaction is named', json.includes(formatTid(damaged)), json);
  step.check('the slave ends before it', stage.slaveEquals(end));

  overwrite(stage.masterFile, sound, place);
  step.note('the bytes are put back');
  const after = await stage.sync();
  noteCopied(step, after);
  step.equal('two transactions copied', after.copied.transactions, 2);
  checkInStep(stage, step, after);
}

/** What a sync did, in one line. */
export function noteCopied(step: StepRecorder, { action, copied, blobs, reason, seconds }: SyncOutcome): void {
  const files = blobs?.copied ? `, ${counted(blobs.copied, 'blob')}` : '';
  const what = `${inMiB(copied.bytes)}, ${counted(copied.transactions, 'transaction')}${files}`;
  step.note(`sync: ${action} (${reason}); copied ${what} in ${seconds.toFixed(2)} s`);
}

/** Checks that the slave ends at the master's last committed transaction, and that every byte and every blob is equal. */
export function checkInStep(stage: Stage, step: StepRecorder, result: SyncOutcome): void {
  step.equal('exit status 0', result.exitCode, 0);
  step.check("the slave's bytes are the master's committed bytes", stage.slaveEquals(stage.liveSite.committedEnd));
  step.check('it has their blobs', stage.hasBlobsOf(readAll(stage.slaveFile)));
}

function blobOf(text: string): Uint8Array {
  return Buffer.alloc(BLOB_BYTES, `${text}, `);
}
