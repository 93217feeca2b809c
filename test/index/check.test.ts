import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { encodeIndex } from '../../src/filestorage/index-writer.js';
import { ObjectIndex } from '../../src/filestorage/object-index.js';
import { altered, type DataFs, dataFs, plain } from '../support/data-fs.js';
import { withTempDir } from '../support/site.js';
import { verify, writeIndex } from '../support/verifying.js';

const OIDS = [0n, 1n, 0x1_0000n, 0x1_0000_0000n, 5n];
const file = dataFs(plain(OIDS.length).map((draft, n) => ({ records: [{ ...draft.records![0]!, oid: OIDS[n]! }] })));

/** A correct index of the file's first transactions. */
function indexOf({ places }: DataFs, transactions = places.length): ObjectIndex {
  const index = new ObjectIndex();
  for (const [n, { records }] of places.slice(0, transactions).entries()) {
    index.set(Number(OIDS[n]! >> 32n), Number(OIDS[n]! & 0xffff_ffffn), records[0]!);
  }
  return index;
}

/** Verify's findings about the file with this index beside it. */
function verified(index: ObjectIndex | Uint8Array, end = file.bytes.length, bytes = file.bytes) {
  return withTempDir((directory) => {
    const path = join(directory, 'Data.fs');
    writeFileSync(path, bytes);
    writeFileSync(`${path}.index`, index instanceof ObjectIndex ? Buffer.concat([...encodeIndex(index, end)]) : index);
    return verify(path);
  });
}

describe('an index is right', () => {
  it('when it has the newest record of every object', async () => {
    const { index, exitCode } = await verified(indexOf(file));
    assert.deepEqual({ index, exitCode }, { index: 'right', exitCode: 0 });
  });

  it('when it has, up to the end that it covers', async () => {
    const { index, exitCode } = await verified(indexOf(file, 2), file.places[1]!.end);
    assert.deepEqual({ index, exitCode }, { index: 'right', exitCode: 0 });
  });

  it('of a database without any transaction', async () => {
    const { index, exitCode } = await verified(new ObjectIndex(), 4, file.bytes.slice(0, 4));
    assert.deepEqual({ index, exitCode }, { index: 'right', exitCode: 0 });
  });

  it('when what it lacks lies in damaged bytes', () =>
    withTempDir(async (directory) => {
      const path = join(directory, 'Data.fs');
      writeFileSync(
        path,
        altered(file.bytes, (view) => view.setUint8(file.places[2]!.position + 8, 1)),
      );
      writeIndex(path, file.bytes);
      const { problems } = await verify(path);
      assert.deepEqual(
        problems.map(({ rule }) => rule),
        ['transaction-length'],
      );
    }));
});

describe('an index is wrong, and verify reports it', () => {
  const reported = async (found: ReturnType<typeof verified>) => {
    const { index, exitCode, problems } = await found;
    assert.deepEqual({ index, exitCode }, { index: 'wrong', exitCode: 4 });
    return problems.map(({ message, severity }) => `${severity}: ${message}`);
  };
  const first = file.places[0]!.records[0]!;
  const fourth = file.places[3]!.records[0]!;

  it('when it has another position', async () => {
    const index = indexOf(file);
    index.set(1, 0, first);
    assert.deepEqual(await reported(verified(index)), [
      `unnoticed: Data.fs.index leads to ${first} for object 0000000100000000: its newest record stands at ${fourth}`,
    ]);
  });

  it('when it lacks an object, or has an extra one', async () => {
    const index = indexOf(file, 4);
    index.set(0, 77, first);
    assert.deepEqual(await reported(verified(index)), [
      `unnoticed: Data.fs.index lacks object 0000000000000005: its newest record stands at ${file.places[4]!.records[0]}`,
      `unnoticed: Data.fs.index leads to ${first} for object 000000000000004d: the file has no record of it`,
    ]);
  });

  it('when it ends inside a transaction, or behind the file', async () => {
    for (const end of [file.bytes.length - 1, file.bytes.length + 1000]) {
      assert.deepEqual(await reported(verified(indexOf(file), end)), [
        `warned: Data.fs.index covers the file up to ${end}, where no committed transaction ends`,
      ]);
    }
  });

  it('when it is no index, or truncated', async () => {
    const whole = Buffer.concat([...encodeIndex(indexOf(file), file.bytes.length)]);
    for (const bytes of [Buffer.from('nonsense'), Buffer.alloc(0), whole.subarray(0, -3), whole.subarray(0, 3)]) {
      const [message, ...more] = await reported(verified(bytes));
      assert.match(message!, /^warned: Data\.fs\.index cannot be read: at its byte \d+, /);
      assert.deepEqual(more, []);
    }
  });
});
