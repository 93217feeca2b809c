import assert from 'node:assert/strict';
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { ChunkFacts } from '../../src/pipeline/chunk.js';
import { InlineSource } from '../../src/pipeline/chunk-source.js';
import { NOTHING_YET } from '../../src/pipeline/chunk-table.js';
import { copy, Exchanged } from '../../src/pipeline/copy.js';
import { ReadDeadline } from '../../src/pipeline/read-deadline.js';
import type { Resume } from '../../src/pipeline/resume.js';
import type { MasterEnd } from '../../src/pipeline/tail.js';
import { Window } from '../../src/pipeline/window.js';
import { altered, concat, type DataFs, dataFs, filler, plain } from '../support/data-fs.js';
import { withTempDir } from '../support/site.js';
import { openMaster } from '../support/sources.js';

interface Copy {
  readonly end: MasterEnd;
  readonly resume: Resume;
}

/** Copies a master; `change` may change it when all but its last transaction have been copied. */
function copyOf(bytes: Uint8Array, change: (path: string) => void = () => {}): Promise<Copy> {
  return withTempDir(async (directory) => {
    const path = join(directory, 'Data.fs');
    writeFileSync(path, bytes);
    const deadline = new ReadDeadline(20);
    const source = new InlineSource(new Window(1 << 16), { chunkBytes: 500, onProgress: () => {} });
    let changed = false;
    const target = {
      write: () => {},
      goBackTo: () => {},
      reached: async (resume: Resume, _facts: ChunkFacts) => {
        if (changed || resume.position < last.position) return;
        changed = true;
        change(path);
      },
    };
    const { end, resume, master } = await copy(await openMaster(path), source, NOTHING_YET, target, deadline);
    master.close();
    return { end, resume };
  }) as Promise<Copy>;
}

const file: DataFs = dataFs(plain(20, 100));
const last = file.places.at(-1)!;
const inFlight = altered(file.bytes, (view) => view.setUint8(last.position + 16, 0x63));

describe('the end of a master', () => {
  it('is clean when its last transaction is complete', async () => {
    const { end, resume } = await copyOf(file.bytes);
    assert.deepEqual([end.kind, resume.position], ['clean', file.bytes.length]);
  });

  it('is in flight when a transaction is being written, is voted, or was left by a crash', async () => {
    for (const bytes of [inFlight, inFlight.slice(0, -30), inFlight.slice(0, last.position + 23)]) {
      const { end, resume } = await copyOf(bytes);
      assert.deepEqual([end.kind, resume.position], ['in-flight', last.position]);
    }
  });

  it('is torn when bytes follow that never become a transaction', async () => {
    for (const tail of [new Uint8Array(500), filler(15)]) {
      const { end, resume } = await copyOf(concat(file.bytes, tail));
      assert.deepEqual(end, { kind: 'torn', position: file.bytes.length, size: file.bytes.length + tail.length });
      assert.equal(resume.position, file.bytes.length);
    }
  });

  it('is damaged when a rule is broken, and stays damaged', async () => {
    const { position, records } = file.places[7]!;
    const { end, resume } = await copyOf(altered(file.bytes, (view) => view.setUint8(records[0]! + 31, 1)));
    assert.equal(end.kind, 'damaged');
    assert.deepEqual([end.damage.position, end.damage.rule, resume.position], [position, 'record-tloc', position]);
  });

  const middle = file.places[12]!;
  const hidden: Readonly<Record<string, readonly [(view: DataView) => void, string, number]>> = {
    'a status that became c': [(view) => view.setUint8(middle.position + 16, 0x63), 'status', 16],
    'a length beyond the file': [(view) => view.setUint8(middle.position + 9, 1), 'transaction-length', 8],
    'a length beyond every file': [(view) => view.setUint8(middle.position + 8, 255), 'transaction-length', 8],
  };
  for (const [name, [change, rule, offset]] of Object.entries(hidden)) {
    it(`is damaged when ${name} hides valid transactions behind it`, async () => {
      const { end, resume } = await copyOf(altered(file.bytes, change));
      assert.equal(end.kind, 'damaged');
      assert.deepEqual([end.damage.rule, end.damage.at], [rule, middle.position + offset]);
      assert.match(end.damage.message, new RegExp(`valid transactions follow at ${middle.end}`));
      assert.equal(resume.position, middle.position);
    });
  }

  it('is in flight, not damaged, while a Data.fs is being stored in it', async () => {
    const inner = dataFs(plain(9), file.bytes.length + 23 + 42).bytes;
    const bytes = dataFs([...plain(20, 100), { status: 'c', records: [{ data: inner }] }]).bytes;
    for (const cut of [0, 30]) assert.equal((await copyOf(bytes.slice(0, bytes.length - cut))).end.kind, 'in-flight');
  });
});

describe('an invalid tail is probed again', () => {
  it('and copied when the rest has arrived', async () => {
    const torn = file.bytes.slice(0, -20);
    const { end, resume } = await copyOf(torn, (path) => writeFileSync(path, file.bytes));
    assert.deepEqual([end.kind, resume.position], ['clean', file.bytes.length]);
  });

  it('and copied when zeros have become bytes, as on a network file system', async () => {
    const stale = altered(file.bytes, (_view, bytes) => bytes.fill(0, last.position));
    const { end, resume } = await copyOf(stale, (path) => writeFileSync(path, file.bytes));
    assert.deepEqual([end.kind, resume.position], ['clean', file.bytes.length]);
  });

  it('and given up when the path has another file by then', async () => {
    const exchange = (path: string) => {
      writeFileSync(`${path}.pack`, file.bytes);
      renameSync(`${path}.pack`, path);
    };
    await assert.rejects(copyOf(file.bytes.slice(0, -20), exchange), Exchanged);
  });
});
