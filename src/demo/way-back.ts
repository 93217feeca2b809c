import { join } from 'node:path';
import { formatTid } from '../filestorage/tid.js';
import { factsOfPath } from '../io/facts.js';
import { blobPaths } from './blobs.js';
import { type History, readHistory } from './history.js';
import { counted, inMiB, type StepRecorder } from './report.js';
import { type RejoinOutcome, readAll, type Stage } from './stage.js';
import { noteCopied, type Step } from './steps.js';
import { commitOnce } from './takeover.js';

/** The old master becomes a slave again, and the two sides change their roles back. */
export const WAY_BACK: readonly Step[] = [
  { title: 'The way back: the old master becomes a slave, and what only it had is kept', run: rejoined },
  { title: 'The old master follows: the next sync appends what the other side commits', run: follows },
  { title: 'A planned switchover changes the roles back, and loses nothing', run: switchedOver },
];

async function rejoined(stage: Stage, step: StepRecorder): Promise<void> {
  const { liveSite: site, blobs } = stage;
  const blob = blobs.commit(site, 4, Buffer.from('a blob that nobody copied any more'));
  stage.stopSite();
  const serving = new Set(readHistory(readAll(stage.slaveFile)).map(({ tid }) => tid));
  const own = readHistory(readAll(stage.masterFile)).filter(({ tid }) => !serving.has(tid));
  step.note(`only on the old master: ${own.map(({ tid }) => formatTid(tid)).join(', ')}`);
  const result = await stage.back.rejoin();
  noteRejoin(step, result);
  step.equal('rewound, and not copied as a whole', result.action, 'rewind');
  step.equal('exit status 0', result.exitCode, 0);
  const { file, blobs: lostBlobs } = result.lost ?? {};
  const lost: History = file ? readHistory(readAll(file)) : [];
  if (file) step.note(`what was lost is in ${file}, with its blobs and a report beside it`);
  step.equal('it has exactly these transactions', idsOf(lost), idsOf(own));
  const blobIsKept = lostBlobs ? factsOfPath(join(lostBlobs, blob)) !== undefined : false;
  step.check('and the blob that one of them names', blobIsKept && blobPaths(lost).includes(blob));
  checkEqual(stage, step);
}

async function follows(stage: Stage, step: StepRecorder): Promise<void> {
  commitOnce(stage.slaveFile, 11, 'the site goes on');
  const result = await stage.back.sync();
  noteCopied(step, result);
  step.equal('an append', result.action, 'append');
  step.equal('of one transaction', result.copied.transactions, 1);
  checkEqual(stage, step);
}

async function switchedOver(stage: Stage, step: StepRecorder): Promise<void> {
  const last = commitOnce(stage.slaveFile, 12, 'the last edit before the switchover');
  step.note('the serving side stops: nobody writes any more');
  noteCopied(step, await stage.back.sync());
  const promotion = await stage.back.promote();
  step.equal('the old master is promoted', promotion.exitCode, 0);
  step.equal('it has all that was committed', promotion.slave.lastTid ?? 'nothing', formatTid(last));
  stage.startSite();
  const { liveSite: site } = stage;
  site.commit(site.pages(new Map([[13, 'the first edit after the switchover']])));
  const result = await stage.rejoin();
  noteRejoin(step, result);
  step.equal('the other side is a slave again', result.exitCode, 0);
  step.equal('and had nothing of its own', result.lost?.transactions ?? 0, 0);
  checkEqual(stage, step);
}

function noteRejoin(step: StepRecorder, { action, reason, copied, lost, seconds }: RejoinOutcome): void {
  const kept = lost ? `, kept ${counted(lost.transactions, 'transaction')}` : '';
  const what = `copied ${inMiB(copied.bytes)}, ${counted(copied.transactions, 'transaction')}`;
  step.note(`rejoin: ${action} (${reason}); ${what}${kept} in ${seconds.toFixed(2)} s`);
}

function checkEqual(stage: Stage, step: StepRecorder): void {
  step.check('both files have the same bytes', stage.areEqual);
  step.check('and both sides the same blobs', stage.hasBlobsOf(readAll(stage.slaveFile)));
}

function idsOf(transactions: History): string {
  return transactions.map(({ tid }) => formatTid(tid)).join(' ');
}
