import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { formatTid, tidToIso } from '../filestorage/tid.js';
import { listDirectory } from '../io/directory.js';
import { writeSwitch } from '../standby/switch.js';
import { type History, readHistory } from './history.js';
import { counted, type StepRecorder } from './report.js';
import { Site } from './site.js';
import { readAll, type Stage } from './stage.js';
import { checkInStep, noteCopied, type Step } from './steps.js';

const SHOWN = 3;

/** The two sides fork, and the slave takes over. */
export const TAKEOVER: readonly Step[] = [
  { title: 'A slave that somebody has written to is refused, not overwritten', run: grown },
  { title: 'With --full the slave is rebuilt, and its old file is kept', run: movedAside },
  { title: 'The takeover: the slave is promoted, and no sync touches it any more', run: promoted },
  { title: 'The slave serves: a site opens it and goes on', run: serves },
];

async function grown(stage: Stage, step: StepRecorder): Promise<void> {
  const here = commitOnce(stage.slaveFile, 7, 'committed on the slave by mistake');
  const { liveSite: site } = stage;
  // Two commits within one millisecond would get the same tid, and this step needs different tids on the two sides.
  await pause(5);
  const there = site.commit(site.pages(new Map([[8, 'committed on the master']])));
  step.note(`only on the slave: ${formatTid(here)}; only on the master: ${formatTid(there)}`);
  const before = readAll(stage.slaveFile);
  const result = await stage.sync();
  noteCopied(step, result);
  step.equal('refused', result.action, 'refused');
  step.equal('exit status 3', result.exitCode, 3);
  const json = JSON.stringify(result);
  step.check('the transaction on the slave is named', json.includes(formatTid(here)), json);
  step.check('the transaction on the master is named', json.includes(formatTid(there)), json);
  step.check('the slave is untouched', Buffer.compare(before, readAll(stage.slaveFile)) === 0);
}

async function movedAside(stage: Stage, step: StepRecorder): Promise<void> {
  const before = readAll(stage.slaveFile);
  const result = await stage.sync(true);
  noteCopied(step, result);
  checkInStep(stage, step, result);
  const aside = listDirectory(stage.slave).filter((name) => name.startsWith('Data.fs.only-here-'));
  step.equal('one file moved aside', aside.length, 1);
  for (const name of aside) {
    const same = Buffer.compare(before, readAll(join(stage.slave, name))) === 0;
    step.check(`${name} is the slave as it was`, same);
  }
}

async function promoted(stage: Stage, step: StepRecorder): Promise<void> {
  const { liveSite: site } = stage;
  const end = site.committedEnd;
  const lost = site.commit(site.pages(new Map([[9, 'committed when nobody copied any more']])));
  const promotion = await stage.promote();
  step.check('promoted', promotion.promoted);
  step.equal('exit status 0', promotion.exitCode, 0);
  step.check('it says that transactions may be lost', promotion.loss?.possible === true);
  const { count = 0, problems = [] } = promotion.blobs ?? {};
  step.check("the slave's blobs are there", count > 0 && problems.length === 0);
  step.note(`what comes after ${promotion.loss?.afterTid} may be lost; the master alone has ${formatTid(lost)}`);
  // As after a reboot, which empties /var/run: the role protects the slave without the switch.
  for (const value of ['off', 'on'] as const) {
    writeSwitch(stage.statusFile, value);
    const result = await stage.sync(value === 'on');
    noteCopied(step, result);
    step.equal(`left alone with the switch ${value}`, result.action, 'off');
    step.equal('exit status 0', result.exitCode, 0);
  }
  step.check('the slave is the master as it was at the last sync', stage.slaveEquals(end));
}

function serves(stage: Stage, step: StepRecorder): void {
  const before = readHistory(readAll(stage.slaveFile));
  step.note(`the slave's last ${SHOWN} of ${counted(before.length, 'transaction')}:`);
  for (const line of lastTransactions(before)) step.note(`  ${line}`);
  const tid = commitOnce(stage.slaveFile, 10, 'the first edit after the takeover');
  const after = readHistory(readAll(stage.slaveFile));
  step.equal('one transaction more', after.length, before.length + 1);
  step.check(`and it is ${formatTid(tid)}`, after.at(-1)?.tid === tid);
  step.check('every blob of its transactions is there', stage.hasBlobsOf(readAll(stage.slaveFile)));
}

export function commitOnce(path: string, page: number, text: string): bigint {
  const site = Site.open(path);
  try {
    return site.commit(site.pages(new Map([[page, text]]), text));
  } finally {
    site.close();
  }
}

function lastTransactions(history: History): string[] {
  const utf8 = new TextDecoder();
  return history
    .slice(-SHOWN)
    .reverse()
    .map(({ tid, user, description, records }) => {
      const who = utf8.decode(user) || '-';
      return `${formatTid(tid)}  ${tidToIso(tid)}  ${who}  ${utf8.decode(description)}  ${counted(records.length, 'object')}`;
    });
}
