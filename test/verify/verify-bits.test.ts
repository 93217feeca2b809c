import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { IndexCheck } from '../../src/index/check.js';
import { ReadDeadline } from '../../src/pipeline/read-deadline.js';
import { Window } from '../../src/pipeline/window.js';
import type { DatFile } from '../../src/standby/dat-file.js';
import { InlineInspector } from '../../src/verify/inspect-file.js';
import { inspectAll } from '../../src/verify/verify.js';
import { describe, it } from '../support/apart.js';
import { altered, type Draft, type DraftRecord, dataFs, filler } from '../support/data-fs.js';
import { type Field, fieldsOf } from '../support/fields.js';
import { MemoryFile } from '../support/memory-file.js';
import { withTempDir } from '../support/site.js';
import { datOf, writeIndex } from '../support/verifying.js';

/**
 * The fault model: one bit flips in a header, pointer, length, status, tid or trailer of a small file. Every such bit is
 * flipped in turn, and verify must find it, except for those in this table, which break no rule of the format. With a
 * `.dat` there are none: the checksum covers them.
 */
const UNSEEN: readonly { readonly name: string; readonly seenByIndex: boolean; readonly fields: readonly string[] }[] =
  [
    {
      name: 'the tid of a transaction without records, if tids still rise',
      seenByIndex: false,
      fields: ['7 tid', '6 tid'],
    },
    { name: "the oid of an object's only record", seenByIndex: true, fields: ['0 0 oid'] },
    { name: 'the oid of a packed record, to which no previous pointer leads', seenByIndex: true, fields: ['0 1 oid'] },
    {
      name: 'a text length that makes the texts take the place of all records, exactly',
      seenByIndex: true,
      fields: ['0 user length', '0 description length', '0 extension length'],
    },
    {
      name: 'data length 0 instead of 8 or 8 instead of 0: a back pointer is 8 bytes as well',
      seenByIndex: false,
      fields: ['4 0 data length', '4 1 data length', '5 0 data length', '8 0 data length'],
    },
    {
      name: 'anything inside of a transaction with status u, which ZODB skips',
      seenByIndex: false,
      fields: [
        ...['user length', 'description length', 'extension length'].map((name) => `7 ${name}`),
        ...['oid', 'record tid', 'previous', 'transaction pointer', 'version length', 'data length'].map(
          (name) => `7 0 ${name}`,
        ),
      ],
    },
  ];

const { bytes } = theFile();
const fields = fieldsOf(bytes);
const path = 'in memory';

describe(import.meta.url, 'for single flipped bits in the structure of a file', () => {
  for (const [beside, unseen] of [
    ['nothing', UNSEEN],
    ['an index', UNSEEN.filter(({ seenByIndex }) => !seenByIndex)],
    ['a .dat', []],
    ['both', []],
  ] as const)
    it(`verify finds all but those in the table, with ${beside} beside it`, async () => {
      const dat = beside === 'a .dat' || beside === 'both' ? await datOf('1', bytes) : undefined;
      await withTempDir(async (directory) => {
        const data = join(directory, 'Data.fs');
        writeFileSync(data, bytes);
        if (beside === 'an index' || beside === 'both') writeIndex(data, bytes);
        const flipper = new Flipper(`${data}.index`, dat ? { dat } : { missing: true });
        assert.equal(await flipper.finds(bytes), false, 'the file is right before a bit is flipped');
        const missed = new Set<string>();
        for (const field of fields) if (await flipper.misses(field)) missed.add(field.name);
        assert.deepEqual([...missed].sort(), unseen.flatMap((row) => row.fields).sort());
      });
    });
});

/** Verifies copies of the file, in memory. */
class Flipper {
  private readonly window = new Window(1 << 16);
  private readonly deadline = new ReadDeadline(20);
  private readonly inspector = new InlineInspector(this.window, this.deadline, () => {});

  constructor(
    private readonly index: string,
    private readonly datFile: DatFile,
  ) {}

  async finds(changed: Uint8Array): Promise<boolean> {
    const file = new MemoryFile(changed);
    const facts = { kind: 'file', device: '1', inode: '1' } as const;
    const inspected = { path, size: file.size, facts, read: file.read, readBytes: file.readBytes.bind(file) };
    const indexCheck = await IndexCheck.open(this.index, this.deadline);
    try {
      const { inspector, window } = this;
      const options = { inspector, window, pieceBytes: 1 << 20, indexCheck, pointers: true };
      return (await inspectAll(inspected, this.datFile, options)).problems.count > 0;
    } finally {
      indexCheck?.close();
    }
  }

  /** Whether verify misses any flipped bit of a field. */
  async misses({ position, length }: Field): Promise<boolean> {
    let missed = false;
    for (let bit = 0; bit < 8 * length; bit++) {
      const at = position + (bit >> 3);
      const flipped = altered(bytes, (view) => view.setUint8(at, view.getUint8(at) ^ (1 << (bit & 7))));
      if (!(await this.finds(flipped))) missed = true;
    }
    return missed;
  }
}

/** All that FileStorage and its pack write. */
function theFile(): ReturnType<typeof dataFs> {
  const drafts: Draft[] = [];
  const at = (transaction: number, record: number): number => dataFs(drafts).places[transaction]!.records[record]!;
  const add = (draft: Omit<Draft, 'records'>, ...records: DraftRecord[]): void =>
    void drafts.push({ ...draft, records });
  add({ status: 'p', description: 'packed' }, { data: 'root' }, { data: filler(40) });
  // A pack keeps two records of an object when a back pointer needs the older one; both have no previous one.
  add({ status: 'p' }, { oid: 1n, data: filler(30) });
  add({ user: 'al' }, { oid: 2n, data: filler(20) }, { oid: 3n, data: '12345678' });
  add({ extension: 'x' }, { oid: 1n, prev: at(1, 0), data: filler(9) }, { oid: 2n, prev: at(2, 0), data: 'new' });
  // An undo, and the undo of a creation.
  add({}, { oid: 1n, prev: at(3, 0), backPointer: at(1, 0) }, { oid: 3n, prev: at(2, 1), backPointer: 0 });
  // Several undos in one transaction.
  add({}, { oid: 2n, prev: at(3, 1), backPointer: at(2, 0) }, { oid: 2n, prev: at(3, 1), data: 'twice' });
  add({});
  add({ status: 'u' }, { oid: 0n, data: 'undone' });
  add({}, { oid: 1n, prev: at(4, 0), backPointer: at(4, 0) });
  return dataFs(drafts);
}
