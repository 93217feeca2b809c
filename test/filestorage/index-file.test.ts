import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { IndexReader } from '../../src/filestorage/index-reader.js';
import { encodeIndex } from '../../src/filestorage/index-writer.js';
import { ObjectIndex } from '../../src/filestorage/object-index.js';
import { entriesOf, indexOf, randomEnd, randomEntries } from '../support/indexes.js';
import { Random } from '../support/random.js';

function encoded(index: ObjectIndex, end: number): Uint8Array {
  return Buffer.concat([...encodeIndex(index, end)].map((piece) => piece.slice()));
}

function read(bytes: Uint8Array, piece = bytes.length): IndexReader {
  const reader = new IndexReader();
  for (let at = 0; at < bytes.length; at += piece) reader.feed(bytes.subarray(at, at + piece));
  reader.finish();
  return reader;
}

function problemOf(hex: string): string | undefined {
  const reader = read(Buffer.from(hex.replaceAll(' ', ''), 'hex'));
  return reader.problem && `${reader.problem.position}: ${reader.problem.message}`;
}

/** The output of zodbpickle in ZODB 6. */
const GOLDEN: readonly (readonly [number, string])[] = [
  [0, '80034b002e 80034e2e'],
  [255, '80034bff2e 80034e2e'],
  [256, '80034d00012e 80034e2e'],
  [65_535, '80034dffff2e 80034e2e'],
  [65_536, '80034a000001002e 80034e2e'],
  [2 ** 31 - 1, '80034affffff7f2e 80034e2e'],
  [2 ** 31, '80038a0500000080002e 80034e2e'],
  [2 ** 39, '80038a060000000080002e 80034e2e'],
  [2 ** 48 - 1, '80038a07ffffffffffff002e 80034e2e'],
  [2 ** 53 - 1, '80038a07ffffffffffff1f2e 80034e2e'],
];

const HEAD = '80034de8032e';
const END = '80034e2e';
const BUCKET = '8003 4306 000000000001 4308 0002 000000000064 862e';

/** Name, bytes, and the reader's message. */
const DEFECTS: readonly (readonly [string, string, string])[] = [
  ['an empty file', '', '0: the file ends in the middle of the index'],
  ['text', '68656c6c6f', '0: byte 0x68 where a pickle of protocol 3 belongs'],
  ['one byte of garbage', '68', '0: byte 0x68 where a pickle of protocol 3 belongs'],
  ['another protocol', '80024de8032e', '1: byte 0x02 where a pickle of protocol 3 belongs'],
  ['a function to call', '8003636f730a73797374656d0a', '2: the position that the index covers is not a number'],
  ['a negative number', `80034affffffff2e${END}`, '2: the position that the index covers is not written as ZODB does'],
  [
    'a longer form than necessary',
    `80034d05002e${END}`,
    '2: the position that the index covers is not written as ZODB does',
  ],
  ['64 bits', `80038a08ffffffffffffff7f2e${END}`, '2: the position that the index covers is not written as ZODB does'],
  ['a number of 255 bytes', '80038aff', '2: the position that the index covers is not a number'],
  ['no end', HEAD + BUCKET, '28: the file ends in the middle of the index'],
  ['a second position', HEAD + HEAD, '8: byte 0x4d where the upper six bytes of oids belongs'],
  ['an empty bucket', `${HEAD}8003430600000000000143008 62e${END}`, '17: a bucket of 0 bytes'],
  ['half an entry', `${HEAD}800343060000000000014304000200008 62e${END}`, '17: a bucket of 4 bytes'],
  ['a bucket of 4 GiB', `${HEAD}800343060000000000 0142f8ffffff`, '17: a bucket of 4294967288 bytes'],
  ['the long form for 8 bytes', `${HEAD}80034306000000000001 4208000000`, '17: a bucket of 8 bytes'],
  ['the same bucket twice', HEAD + BUCKET + BUCKET + END, '32: buckets are not in ascending order'],
  [
    'descending oids',
    `${HEAD}80034306000000000001 4310 00020001 000000000064 000000000065 862e${END}`,
    '20: oids are not in ascending order',
  ],
  [
    'a record at 0',
    `${HEAD}80034306000000000001 4308 0002 000000000000 862e${END}`,
    '20: a record at 0, in a file that is covered up to 1000',
  ],
  [
    'a record beyond the end',
    `${HEAD}80034306000000000001 4308 0002 0000000003e8 862e${END}`,
    '20: a record at 1000, in a file that is covered up to 1000',
  ],
  ['bytes behind the end', `${HEAD}${END}00`, '10: there are bytes behind the end of the index'],
];

describe('Data.fs.index', () => {
  for (const [end, hex] of GOLDEN) {
    it(`covers a file up to ${end} as ZODB writes it`, () => {
      assert.equal(Buffer.from(encoded(new ObjectIndex(), end)).toString('hex'), hex.replaceAll(' ', ''));
      const reader = read(Buffer.from(hex.replaceAll(' ', ''), 'hex'));
      assert.equal(reader.problem, undefined);
      assert.ok(reader.complete);
      assert.equal(reader.end, end);
    });
  }

  it('refuses to cover an invalid position', () => {
    for (const end of [-1, 1.5, 2 ** 53]) assert.throws(() => encoded(new ObjectIndex(), end), RangeError);
  });

  it('is read back as it was written, in pieces of any size', () => {
    const random = new Random(3);
    for (let round = 0; round < 60; round++) {
      const end = randomEnd(random);
      const index = indexOf(randomEntries(random, end));
      const bytes = encoded(index, end);
      const reader = read(bytes, 1 + random.below(2) * random.below(5000));
      assert.equal(reader.problem, undefined);
      assert.ok(reader.complete);
      assert.equal(reader.end, end);
      assert.equal(reader.index.size, index.size);
      assert.deepEqual(entriesOf(reader.index), entriesOf(index));
    }
  });

  for (const [name, hex, due] of DEFECTS) {
    it(`is refused with ${name}`, () => assert.equal(problemOf(hex), due));
  }

  it('gives a problem, or an index that is written the same, whatever byte of it changes', () => {
    const random = new Random(4);
    for (let round = 0; round < 1000; round++) {
      const end = randomEnd(random);
      const few = randomEntries(random, end).slice(0, 100);
      const bytes = encoded(indexOf(few), end);
      for (let changes = random.below(3); changes >= 0; changes--)
        bytes[random.below(bytes.length)] = random.below(256);
      const altered = bytes.subarray(0, random.below(2) ? bytes.length : random.below(bytes.length));
      const reader = read(altered, 1 + random.below(500));
      assert.notEqual(reader.complete, reader.problem !== undefined);
      if (reader.complete) assert.deepEqual(encoded(reader.index, reader.end), Buffer.from(altered));
      else assert.ok(reader.problem!.position <= altered.length);
    }
  });
});
