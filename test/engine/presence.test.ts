import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Presence } from '../../src/engine/facts.js';
import { findPresence } from '../../src/engine/presence.js';
import { Window } from '../../src/engine/window.js';
import { altered, concat, type DataFs, type Draft, dataFs, nthTid } from '../support/data-fs.js';
import { MemoryFile } from '../support/memory-file.js';

const window = new Window(1 << 16);

/** A transaction that writes some objects. */
function write(n: number, oids: readonly number[], status = ' '): Draft {
  return { tid: nthTid(n), status, records: oids.map((oid) => ({ oid: BigInt(oid), data: `${n} writes ${oid}` })) };
}

function presence(slave: readonly Draft[] | Uint8Array, master: readonly Draft[] | Uint8Array): Promise<Presence> {
  const [ours, theirs] = [slave, master].map((side) => (side instanceof Uint8Array ? side : dataFs(side).bytes));
  const ending = (bytes: Uint8Array) => ({ source: new MemoryFile(bytes), end: bytes.length });
  return findPresence(ending(ours!), ending(theirs!), window);
}

/** A pack has dropped transaction 3 of the slave's and all behind transaction `common`. */
function droppedBehind(common: number, superseded: boolean): Presence {
  return { kind: 'packed-span', newest: nthTid(3), common: nthTid(common), superseded };
}

const slave = [write(1, [0]), write(2, [1]), write(3, [1])];

describe("the slave's last transaction", () => {
  it('is present in a master that was packed and went on', async () => {
    assert.deepEqual(await presence(slave, [write(1, [0], 'p'), write(3, [1], 'p'), write(4, [1])]), {
      kind: 'present',
      newest: nthTid(3),
    });
  });

  it('is present when the slave has none at all', async () => {
    assert.deepEqual(await presence([], slave), { kind: 'present', newest: 0n });
  });

  it('is absent from a master that was rolled back to before it', async () => {
    assert.deepEqual(await presence(slave, slave.slice(0, 2)), { kind: 'absent' });
  });

  it('is absent where another transaction has its tid', async () => {
    assert.deepEqual(await presence(slave, [...slave.slice(0, 2), write(3, [2])]), { kind: 'absent' });
  });

  it('is absent from a master that never was packed', async () => {
    assert.deepEqual(await presence(slave, [write(1, [0]), write(2, [1]), write(4, [1])]), { kind: 'absent' });
  });

  it("is absent from another site's master, packed or not", async () => {
    for (const status of [' ', 'p']) {
      const other = [write(0, [7], status), write(5, [8], status)];
      assert.deepEqual(await presence(slave, other), { kind: 'absent' });
    }
  });

  it('dropped by a pack is superseded when all that it wrote was written again', async () => {
    const packed = [write(1, [0], 'p'), write(5, [1], 'p')];
    assert.deepEqual(await presence(slave, packed), droppedBehind(1, true));
  });

  it('dropped by a pack is not superseded when one of its objects was not', async () => {
    const two = [...slave.slice(0, 2), write(3, [1, 2])];
    const packed = [write(1, [0], 'p'), write(5, [1], 'p')];
    assert.deepEqual(await presence(two, packed), droppedBehind(1, false));
  });

  it('dropped by a pack is not superseded by a transaction that came after the pack', async () => {
    const packed = [write(1, [0], 'p'), write(4, [9], 'p'), write(5, [1])];
    assert.deepEqual(await presence(slave, packed), droppedBehind(1, false));
  });
});

describe('several last transactions that a pack dropped', () => {
  const hot = [write(1, [0]), write(2, [1, 2]), write(3, [1])];

  it('are superseded when all that they wrote was written again', async () => {
    const packed = [write(1, [0], 'p'), write(5, [1, 2], 'p')];
    assert.deepEqual(await presence(hot, packed), droppedBehind(1, true));
  });

  it('are not superseded when only the newest one was', async () => {
    const packed = [write(1, [0], 'p'), write(5, [1], 'p')];
    assert.deepEqual(await presence(hot, packed), droppedBehind(1, false));
  });
});

describe('a transaction that holds an object twice', () => {
  const twice = (data: readonly string[], status = ' '): Draft => {
    return { tid: nthTid(3), status, records: data.map((each) => ({ oid: 1n, data: each })) };
  };

  it('is the same where a pack has kept one of the records', async () => {
    const here = [write(1, [0]), twice(['first', 'second'])];
    for (const kept of ['first', 'second']) {
      const found = await presence(here, [write(1, [0], 'p'), twice([kept], 'p')]);
      assert.equal(found.kind, 'present');
    }
    assert.equal((await presence(here, [write(1, [0], 'p'), twice(['third'], 'p')])).kind, 'absent');
  });
});

describe("a master's end that cannot be read backwards", () => {
  const history = [write(1, [0], 'p'), write(3, [1], 'p'), write(4, [1])];
  const file: DataFs = dataFs(history);
  const brokenTrailer = (bytes: Uint8Array) => altered(bytes, (view) => view.setUint8(view.byteLength - 1, 99));

  it('and is no damage tells nothing, so nothing of it is copied', async () => {
    const master = concat(file.bytes, brokenTrailer(new Uint8Array(60)));
    assert.deepEqual(await presence(slave, master), { kind: 'absent' });
  });

  it('is named as damaged where the transaction was not met before the damage', async () => {
    const damaged = brokenTrailer(dataFs([write(1, [0], 'p'), write(4, [1])]).bytes);
    const found = await presence(slave, damaged);
    assert.equal(found.kind, 'damaged');
    assert.equal(found.stop.rule, 'trailer');
  });
});
