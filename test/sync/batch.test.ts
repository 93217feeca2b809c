import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, it } from 'node:test';
import { type DiskOperation, observeDisk } from '../../src/io/observer.js';
import { OpenFile } from '../../src/io/open-file.js';
import { Batch } from '../../src/sync/batch.js';
import { concat, dataFs, filler, plain } from '../support/data-fs.js';
import { withTempDir } from '../support/site.js';
import { walkOver } from '../support/walking.js';

const file = dataFs([...plain(2), { status: 'p', records: [{ data: filler(300) }] }, ...plain(2)]);
const start = file.places[1]!.end;
const before = file.bytes.slice(0, start);

/** Lets `use` write a batch behind the first two transactions; returns the operations on the file, and its bytes. */
async function batched(
  use: (batch: Batch, slave: OpenFile, path: string) => void,
  onOperation: (operation: DiskOperation, bytes: Uint8Array) => void = () => {},
): Promise<{ readonly operations: readonly string[]; readonly bytes: Uint8Array }> {
  const operations: string[] = [];
  return withTempDir((directory) => {
    const path = join(directory, 'Data.fs');
    writeFileSync(path, before);
    const slave = OpenFile.openToWrite(path);
    observeDisk((operation) => {
      operations.push(inWords(operation));
      onOperation(operation, new Uint8Array(readFileSync(path)));
    });
    try {
      use(new Batch(slave, start), slave, path);
    } finally {
      observeDisk(undefined);
      slave.close();
    }
    return { operations, bytes: new Uint8Array(readFileSync(path)) };
  }) as Promise<{ operations: string[]; bytes: Uint8Array }>;
}

function inWords(operation: DiskOperation): string {
  switch (operation.kind) {
    case 'write':
      return `write ${operation.bytes.length} at ${operation.position}`;
    case 'truncate':
      return `truncate ${operation.size}`;
    case 'sync':
      return `sync ${operation.what}`;
    default:
      return operation.kind;
  }
}

/** The rest of the file in pieces as a master delivers them: copies, because a batch changes its input. */
function pieces(length: number, to = file.bytes.length): [Uint8Array, number][] {
  const all: [Uint8Array, number][] = [];
  for (let at = start; at < to; at += length) all.push([file.bytes.slice(at, Math.min(to, at + length)), at]);
  return all;
}

afterEach(() => observeDisk(undefined));

describe('a batch', () => {
  it('writes the header and makes it durable before the body, and flips one byte when everything is durable', async () => {
    const rest = file.bytes.length - start;
    const { operations, bytes } = await batched((batch) => {
      for (const [piece, at] of pieces(1000)) batch.write(piece, at);
      batch.settle();
      batch.flip();
    });
    assert.deepEqual(operations, [
      `write 23 at ${start}`,
      'sync data',
      `write ${rest} at ${start}`,
      'sync data',
      `write 1 at ${start + 16}`,
      'sync data',
    ]);
    assert.deepEqual(bytes, file.bytes);
  });

  it('hides its transactions from a reader until the flip, and shows all of them afterwards', async () => {
    let flipped = false;
    const seen = new Set<string>();
    await batched(
      (batch) => {
        for (const [piece, at] of pieces(40)) batch.write(piece, at);
        batch.settle();
        flipped = true;
        batch.flip();
      },
      (_operation, bytes) => {
        const { stop, end } = walkOver(bytes);
        seen.add(stop!.kind);
        if (!flipped) assert.deepEqual({ kind: stop?.kind, end }, { kind: 'in-flight', end: start });
        else assert.equal(end, file.bytes.length);
      },
    );
    assert.deepEqual([...seen], ['in-flight', 'end']);
  });

  it('never touches a byte before its start', async () => {
    await batched(
      (batch) => {
        for (const [piece, at] of pieces(40)) batch.write(piece, at);
        batch.goBackTo(file.places[2]!.end);
        batch.settle();
        batch.flip();
        batch.drop();
      },
      (_operation, bytes) => assert.deepEqual(bytes.slice(0, start), before),
    );
  });

  it("restores the first transaction's status of the master", async () => {
    const { bytes } = await batched((batch) => {
      for (const [piece, at] of pieces(100)) batch.write(piece, at);
      batch.settle();
      batch.flip();
    });
    assert.equal(bytes[start + 16], 'p'.charCodeAt(0));
  });

  it('truncates the incomplete transaction behind the last complete one', async () => {
    const { end } = file.places[2]!;
    const { operations, bytes } = await batched((batch) => {
      for (const [piece, at] of pieces(1000)) batch.write(piece, at);
      batch.goBackTo(end);
      batch.settle();
      batch.flip();
    });
    assert.deepEqual(operations.slice(3), [`truncate ${end}`, 'sync all', `write 1 at ${start + 16}`, 'sync data']);
    assert.deepEqual(bytes, file.bytes.slice(0, end));
  });

  it('continues behind the last complete transaction after a rollback to it', async () => {
    const { end } = file.places[2]!;
    const { bytes } = await batched((batch) => {
      batch.write(file.bytes.slice(start, end + 30), start);
      batch.goBackTo(end);
      batch.write(file.bytes.slice(end), end);
      batch.settle();
      batch.flip();
    });
    assert.deepEqual(bytes, file.bytes);
  });

  it('that was rolled back to its start has not begun, and starts again with a header', async () => {
    const { operations, bytes } = await batched((batch) => {
      batch.write(file.bytes.slice(start, start + 60), start);
      assert.equal(batch.begun, true);
      batch.goBackTo(start);
      assert.equal(batch.begun, false);
      for (const [piece, at] of pieces(1000)) batch.write(piece, at);
      batch.settle();
      batch.flip();
    });
    assert.deepEqual(operations.slice(3, 5), [`write 23 at ${start}`, 'sync data']);
    assert.deepEqual(bytes, file.bytes);
  });

  it('that ends empty truncates the file durably and flips nothing', async () => {
    const { operations, bytes } = await batched((batch) => {
      batch.write(file.bytes.slice(start, start + 60), start);
      batch.goBackTo(start);
      batch.settle();
      batch.flip();
    });
    assert.deepEqual(operations.slice(3), [`truncate ${start}`, 'sync all']);
    assert.deepEqual(bytes, before);
  });

  it('that is dropped leaves the file unchanged', async () => {
    const { operations, bytes } = await batched((batch) => {
      for (const [piece, at] of pieces(40)) batch.write(piece, at);
      batch.drop();
    });
    assert.equal(operations.at(-1), `truncate ${start}`);
    assert.deepEqual(bytes, before);
  });

  it('that is visible is not truncated, even if the flip could not be made durable', async () => {
    const { bytes } = await batched((batch, slave) => {
      for (const [piece, at] of pieces(40)) batch.write(piece, at);
      batch.settle();
      assert.equal(batch.isVisible, false);
      slave.syncData = () => {
        throw new Error('the disk failed');
      };
      assert.throws(() => batch.flip(), /the disk failed/);
      assert.equal(batch.isVisible, true);
      batch.drop();
    });
    assert.deepEqual(bytes, file.bytes);
  });

  it('whose flip byte could not be written is invisible, and is truncated', async () => {
    const { bytes } = await batched((batch, slave) => {
      for (const [piece, at] of pieces(40)) batch.write(piece, at);
      batch.settle();
      slave.write = () => {
        throw new Error('no space');
      };
      assert.throws(() => batch.flip(), /no space/);
      assert.equal(batch.isVisible, false);
      batch.drop();
    });
    assert.deepEqual(bytes, before);
  });

  it('without input does nothing', async () => {
    const { operations } = await batched((batch) => {
      batch.settle();
      batch.flip();
      batch.drop();
    });
    assert.deepEqual(operations, []);
  });

  it('counts the bytes of its complete transactions and of the one in progress', async () => {
    await batched((batch) => {
      assert.equal(batch.length, 0);
      batch.write(file.bytes.slice(start, start + 60), start);
      assert.equal(batch.length, 60);
      batch.goBackTo(start);
      assert.equal(batch.length, 0);
    });
  });

  it('refuses bytes that do not follow the previous ones', async () => {
    await batched((batch) => {
      assert.throws(() => batch.write(new Uint8Array(40), start + 1), RangeError);
      assert.throws(() => batch.write(new Uint8Array(40), start - 1), RangeError);
    });
  });

  it('can be dropped after a write that failed halfway', async () => {
    const { bytes } = await batched((batch, slave, path) => {
      const write = slave.write.bind(slave);
      slave.write = (piece, at) => {
        if (piece.length <= 23) return write(piece, at);
        // A full disk writes part of the bytes, too.
        writeFileSync(path, concat(readFileSync(path), piece.slice(23, 70)));
        throw new Error('no space');
      };
      assert.throws(() => batch.write(file.bytes.slice(start), start), /no space/);
      batch.drop();
    });
    assert.deepEqual(bytes, before);
  });
});
