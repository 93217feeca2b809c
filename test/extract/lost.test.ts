import assert from 'node:assert/strict';
import { copyFileSync, existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { completeLost, exportLost, type Lost } from '../../src/extract/export-lost.js';
import type { LostReport } from '../../src/extract/lost-report.js';
import { OpenFile } from '../../src/io/open-file.js';
import { ReadDeadline } from '../../src/pipeline/read-deadline.js';
import { readableFile } from '../../src/pipeline/scan.js';
import { Window } from '../../src/pipeline/window.js';
import { renderLost } from '../../src/report/lost.js';
import { type BlobPair, withBlobPair } from '../support/blob-pair.js';
import { parseContract, Sightings } from '../support/json-contract.js';
import { inProject } from '../support/root.js';
import { Site } from '../support/site.js';

const OWNER = { mode: 0o640 };
const DOCUMENT = Buffer.from('\x80\x03csite.content\nDocument\nq\x00.\x80\x03N.', 'latin1');

/** The master is the old one, and the slave's file serves. */
interface Split {
  readonly pair: BlobPair;
  readonly fork: number;
  /** What the serving side commits. */
  readonly serving: Site;
}

const oidOf = (page: number): string => page.toString(16).padStart(16, '0');

async function withSplit(use: (split: Split) => Promise<void>): Promise<void> {
  await withBlobPair(async (pair) => {
    pair.commit('one', 'two', 'three', 'four');
    const fork = pair.site.committedEnd;
    copyFileSync(pair.masterFile, pair.slaveFile);
    const serving = Site.open(pair.slaveFile, { clock: pair.clock });
    try {
      await use({ pair, fork, serving });
    } finally {
      serving.close();
    }
  });
}

/** Changes page 1 and 2, creates 100 and 101, undoes the creation of 101, and commits a blob. */
function lose({ pair: { site }, pair }: Split): void {
  site.commit(
    site.pages(
      new Map([
        [1, 'lost'],
        [2, 'lost too'],
      ]),
      'two pages\u001b[2J',
    ),
  );
  site.commit({ user: 'jörg', description: 'new', edits: [100n, 101n].map((oid) => ({ oid, data: DOCUMENT })) });
  site.commit({ edits: [{ oid: 101n, undo: true }] });
  pair.commitBlobs('a lost blob');
}

async function exported({ pair, fork }: Split, knowsBlobs = true): Promise<Lost> {
  const file = OpenFile.openHere(pair.masterFile);
  try {
    return await exportLost({
      source: readableFile(file),
      from: fork,
      end: pair.site.committedEnd,
      directory: pair.master,
      owner: OWNER,
      window: new Window(1 << 16),
      blobs: knowsBlobs ? pair.masterBlobs : undefined,
      deadline: new ReadDeadline(10),
      render: renderLost,
    });
  } finally {
    file.close();
  }
}

async function completed({ pair, fork, serving }: Split, { names }: Lost): Promise<LostReport> {
  const file = OpenFile.openHere(pair.slaveFile);
  try {
    const range = { source: readableFile(file), from: fork, end: serving.committedEnd };
    const request = { names, serving: range, owner: OWNER, window: new Window(1 << 16), render: renderLost };
    const report = await completeLost(request);
    assert.ok(report);
    return report;
  } finally {
    file.close();
  }
}

const readReport = ({ names }: Lost): LostReport => JSON.parse(readFileSync(names.json, 'utf8')) as LostReport;
const lostFiles = (directory: string): string[] =>
  readdirSync(directory)
    .filter((name) => /lost/.test(name))
    .sort();
const objectOf = (report: LostReport, oid: string) => report.objects.find((each) => each.oid === oid);

describe('what was lost is exported as', () => {
  it('a file, a blob directory and two reports, under one name', () =>
    withSplit(async (split) => {
      lose(split);
      const lost = await exported(split);
      const tids = split.pair.site.transactions.slice(-4).map(({ tid }) => tid.toString(16).padStart(16, '0'));
      const stem = `lost-${tids[0]}-${tids[3]}`;
      assert.deepEqual(
        lostFiles(split.pair.master),
        ['blobs', 'fs', 'json', 'txt'].map((end) => `${stem}.${end}`),
      );
      assert.deepEqual([lost.thin.transactions, lost.blobs?.files, lost.blobs?.missing], [4, 1, []]);
      assert.equal(statSync(lost.names.file).mode & 0o777, OWNER.mode);
    }));

  it('a list of transactions and objects, with what is known before the serving side is asked', () =>
    withSplit(async (split) => {
      lose(split);
      const report = readReport(await exported(split));
      assert.deepEqual(report, (await exported(split)).report);
      const { transactions, objects, createdHere, unchanged } = report.counts;
      assert.deepEqual([transactions, objects, createdHere, unchanged], [4, 5, 3, null]);
      assert.equal(report.fork.position, split.fork);
      assert.deepEqual(
        report.transactions.map(({ user, description, objects: records }) => [user, description, records]),
        [
          ['editor', 'two pages\u001b[2J', 2],
          ['jörg', 'new', 2],
          ['', '', 1],
          ['', '', 1],
        ],
      );
      const facts = (oid: string) => {
        const { class: name, blob, createdHere: isNew, bytes, revisions } = objectOf(report, oid)!;
        return [name, blob, isNew, bytes, revisions];
      };
      assert.deepEqual(facts(oidOf(100)), ['site.content.Document', false, true, DOCUMENT.length, 1]);
      assert.deepEqual(facts(oidOf(101)), [null, false, true, 0, 2]);
      assert.deepEqual(facts(oidOf(1)).slice(1, 3), [false, false]);
      assert.deepEqual(facts(report.objects.at(-1)!.oid).slice(0, 3), ['ZODB.blob.Blob', true, true]);
    }));

  it('the same files when it is done again, and others beside files of other bytes', () =>
    withSplit(async (split) => {
      lose(split);
      const first = await exported(split);
      const bytes = readFileSync(first.names.file);
      rmSync(first.names.json);
      const again = await exported(split);
      assert.deepEqual([again.names, lostFiles(split.pair.master).length], [first.names, 4]);
      writeFileSync(first.names.file, 'of somebody else');
      const third = await exported(split);
      assert.match(third.names.file, /-2\.fs$/);
      assert.ok(readFileSync(third.names.file).equals(bytes));
      assert.equal(readFileSync(first.names.file, 'utf8'), 'of somebody else');
      assert.ok(existsSync(third.names.blobs));
    }));

  it('no blob directory where it is not known, and a count of the blobs whose file is missing', () =>
    withSplit(async (split) => {
      const [id] = split.pair.commitBlobs('gone', 'here');
      const unknown = await exported(split, false);
      assert.deepEqual([unknown.report.blobs, existsSync(unknown.names.blobs)], [null, false]);
      rmSync(split.pair.onMaster(id!));
      const { report } = await exported(split);
      assert.deepEqual([report.blobs?.files, report.blobs?.missing], [1, 1]);
    }));
});

describe('the complete report says of each object', () => {
  it('what the serving side has done with it since', () =>
    withSplit(async (split) => {
      lose(split);
      const lost = await exported(split);
      const { serving } = split;
      serving.commit(
        serving.pages(
          new Map([
            [1, 'served'],
            [3, 'not lost'],
          ]),
        ),
      );
      serving.commit({ edits: [{ oid: 100n, data: Buffer.from('another object') }] });
      const last = serving.commit(serving.pages(new Map([[1, 'served again']])));
      const report = await completed(split, lost);
      assert.deepEqual(report, readReport(lost));
      const { unchanged, changed, deleted, sameOid } = report.counts;
      assert.deepEqual([unchanged, changed, deleted, sameOid], [3, 2, 0, 1]);
      const since = (oid: string) => {
        const { since: what, sinceTid, sameOid: isSame } = objectOf(report, oid)!;
        return [what, sinceTid, isSame];
      };
      assert.deepEqual(since(oidOf(1)), ['changed', last.toString(16).padStart(16, '0'), false]);
      assert.deepEqual(since(oidOf(2)), ['unchanged', null, false]);
      assert.deepEqual(
        since(oidOf(100)).filter((_, n) => n !== 1),
        ['changed', true],
      );
      assert.deepEqual(since(oidOf(101)), ['unchanged', null, false]);
    }));

  it('that the serving side has deleted it', () =>
    withSplit(async (split) => {
      lose(split);
      const lost = await exported(split);
      const { serving } = split;
      serving.commit({ edits: [{ oid: 101n, data: Buffer.from('created') }] });
      serving.commit({ edits: [{ oid: 101n, undo: true }] });
      const report = await completed(split, lost);
      const { since, sameOid } = objectOf(report, oidOf(101))!;
      assert.deepEqual([since, sameOid, report.counts.deleted, report.counts.changed], ['deleted', true, 1, 0]);
    }));
});

describe('the report for people', () => {
  it('says first how much was lost and from when to when, then where it is and what to do; no control characters', () =>
    withSplit(async (split) => {
      lose(split);
      const lost = await exported(split);
      const draft = readFileSync(lost.names.text, 'utf8');
      assert.match(draft, /^4 transactions with 5 objects, from 2026-\S+Z to 2026-\S+Z, exist on this side only/);
      assert.doesNotMatch(draft, /since changed/);
      split.serving.commit(split.serving.pages(new Map([[1, 'served']])));
      await completed(split, lost);
      const text = readFileSync(lost.names.text, 'utf8');
      for (const part of [
        lost.names.file,
        lost.names.blobs,
        'What to do next',
        'two pages\\u001b[2J',
        'jörg',
        oidOf(100),
      ])
        assert.ok(text.includes(part), part);
      assert.match(text, /has since changed 1 of these objects, deleted 0, and left 4 as they were/);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: the test asserts their absence.
      assert.doesNotMatch(text, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
    }));
});

it('docs/json.md is what the report for programs has, and all of it', async () => {
  const { fields } = parseContract(readFileSync(inProject('docs', 'json.md'), 'utf8')).get(
    'The report of lost transactions',
  )!;
  const sightings = new Sightings(fields);
  await withSplit(async (split) => {
    lose(split);
    const lost = await exported(split);
    sightings.add(readReport(lost), 'a draft');
    const { serving } = split;
    serving.commit({
      edits: [
        { oid: 100n, data: DOCUMENT },
        { oid: 101n, data: DOCUMENT },
      ],
    });
    serving.commit({ edits: [{ oid: 101n, undo: true }] });
    await completed(split, lost);
    sightings.add(readReport(lost), 'a complete one');
  });
  await withSplit(async (split) => {
    split.pair.commit('lost');
    sightings.add(readReport(await exported({ ...split, fork: 4 })), 'of everything');
  });
  assert.deepEqual(sightings.wrong, []);
  const never = ['fork.time: null', 'firstTime: null', 'lastTime: null', 'transactions[].time: null'];
  assert.deepEqual(
    sightings.unseen.filter((each) => !never.includes(each) && each !== 'objects[].sinceTime: null'),
    [],
  );
});
