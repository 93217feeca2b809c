import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { altered, dataFs, filler, nthTid, plain } from '../support/data-fs.js';
import { chunksOf, probeAt } from '../support/scene.js';

/** 20 synced transactions; the master may have more. */
const drafts = plain(30, 100);
const claimed = dataFs(drafts.slice(0, 20)).bytes;
const grown = dataFs(drafts).bytes;
const places = dataFs(drafts).places;
const flipped = (bytes: Uint8Array, at: number) => altered(bytes, (view) => view.setUint8(at, view.getUint8(at) ^ 1));

describe('the probe for the verified end', () => {
  it('finds the claim when the last chunk is intact', async () => {
    const { verified } = await probeAt({ claimed, slave: claimed, master: grown }, 'verified');
    assert.deepEqual(verified, await chunksOf(claimed));
  });

  it('goes back chunk by chunk when the slave is too short', async () => {
    const { chunks } = await chunksOf(claimed);
    for (const [n, chunk] of chunks.entries()) {
      const { verified } = await probeAt(
        { claimed, slave: claimed.slice(0, chunk.end - 1), master: grown },
        'verified',
      );
      assert.deepEqual(verified?.chunks, chunks.slice(0, n));
      assert.equal(verified?.position, chunks[n - 1]?.end ?? 4);
      assert.equal(verified?.masterAgrees, true);
      assert.match(verified?.problem ?? '', new RegExp(`has ${chunk.end - 1} bytes, ${claimed.length} are claimed`));
    }
  });

  it('goes back before a chunk with a changed byte, and names it', async () => {
    const { chunks } = await chunksOf(claimed);
    const last = chunks.at(-1)!;
    const { verified } = await probeAt(
      { claimed, slave: flipped(claimed, last.start + 50), master: grown },
      'verified',
    );
    assert.deepEqual([verified?.position, verified?.masterAgrees], [last.start, true]);
    assert.match(verified?.problem ?? '', new RegExp(`${last.start} to ${last.end} do not match their checksum`));
  });

  it('lists all chunks that only the slave has wrong, and the claim to continue from once they are repaired', async () => {
    const { chunks, position, tailState } = await chunksOf(claimed);
    const rotten = chunks.slice(-3).reduce((bytes, { start }) => flipped(bytes, start + 50), claimed);
    const { verified } = await probeAt({ claimed, slave: rotten, master: grown }, 'verified');
    assert.equal(verified?.position, chunks.at(-4)!.end);
    assert.deepEqual(verified?.repairable?.wrong, chunks.slice(-3).reverse());
    assert.deepEqual(
      [verified?.repairable?.claim.position, verified?.repairable?.claim.tailState],
      [position, tailState],
    );
    assert.deepEqual(verified?.repairable?.claim.chunks, chunks);
  });

  it('lists none when the slave is too short, or the master has them wrong as well', async () => {
    const { chunks } = await chunksOf(claimed);
    const at = chunks.at(-1)!.start + 50;
    const wrong = flipped(claimed, at);
    const cases = [
      { slave: wrong.slice(0, -1), master: grown },
      { slave: wrong, master: flipped(grown, at + 1) },
    ];
    for (const sides of cases) {
      const { verified } = await probeAt({ claimed, ...sides }, 'verified');
      assert.equal(verified?.repairable, undefined);
    }
  });

  it('detects that the master no longer has the copied bytes', async () => {
    const at = (await chunksOf(claimed)).chunks.at(-1)!.start + 50;
    const { verified } = await probeAt(
      { claimed, slave: flipped(claimed, at), master: flipped(grown, at) },
      'verified',
    );
    assert.equal(verified?.masterAgrees, false);
  });

  it('returns a hash state to continue from', async () => {
    const { chunks, tailState } = await chunksOf(claimed.slice(0, places[12]!.end));
    const { verified } = await probeAt(
      { claimed: claimed.slice(0, places[12]!.end), slave: grown, master: grown },
      'verified',
    );
    assert.deepEqual([verified?.chunks, verified?.tailState], [chunks, tailState]);
  });
});

describe("the probe that compares the master's file", () => {
  const generation = async (scene: Omit<Parameters<typeof probeAt>[0], 'claimed'>) => {
    return (await probeAt({ claimed, ...scene }, 'verified', 'generation')).generation;
  };

  it('recognises the same file, grown or not', async () => {
    for (const master of [claimed, grown]) {
      assert.deepEqual(await generation({ slave: claimed, master }), { kind: 'same', moved: false });
    }
  });

  it('reports another file with the same bytes as moved', async () => {
    const found = await generation({ slave: claimed, master: grown, exchanged: true });
    assert.deepEqual(found, { kind: 'same', moved: true });
  });

  it('reports another file with other transactions, wherever they start', async () => {
    for (const at of [0, 10, 19]) {
      const others = drafts.map((draft, n) => (n === at ? { ...draft, tid: nthTid(n) + 1n } : draft));
      const found = await generation({ slave: claimed, master: dataFs(others).bytes, exchanged: true });
      assert.deepEqual(found, { kind: 'other' }, `at ${at}`);
    }
  });

  it('reports the same transactions from before a pack as another file', async () => {
    const slave = dataFs(drafts.slice(0, 20).map((draft, n) => (n < 3 ? { ...draft, status: 'p' } : draft))).bytes;
    const found = await probeAt({ claimed: slave, slave, master: grown, exchanged: true }, 'verified', 'generation');
    assert.deepEqual(found.generation, { kind: 'other' });
  });

  it('reports the same transactions after a pack as another file', async () => {
    const packed = drafts.map((draft, n) => (n < 3 ? { ...draft, status: 'p' } : draft));
    const found = await generation({ slave: claimed, master: dataFs(packed).bytes, exchanged: true });
    assert.deepEqual(found, { kind: 'other' });
  });

  it('reports other bytes in the same transactions as damage, in another file at any position', async () => {
    for (const at of [20, places[12]!.records[0]! + 50, claimed.length - 20]) {
      for (const exchanged of [true, false]) {
        const found = await generation({ slave: claimed, master: flipped(grown, at), exchanged });
        assert.equal(found?.kind, 'damaged', `at ${at}`);
        assert.deepEqual([found.stop.rule, found.stop.at], ['hash', at]);
        assert.ok(found.stop.position <= at);
      }
    }
  });

  it('reports when the slave is wrong as well', async () => {
    const found = await generation({ slave: flipped(claimed, 90), master: flipped(grown, 80) });
    assert.equal(found?.kind, 'damaged');
    assert.match(found.stop.message, /differ from the slave's at 80, and those are wrong as well/);
  });

  it('lists the old chunks in which only the slave is wrong', async () => {
    const [chunk] = (await chunksOf(claimed)).chunks;
    const found = await generation({ slave: flipped(claimed, 90), master: grown });
    assert.deepEqual(found, { kind: 'same', moved: false, repairs: [chunk] });
  });

  describe('treats zeros on the slave, where the master has other bytes now,', () => {
    const PAGE = 4096;
    const small = plain(3, 100);
    const large = dataFs([...small, { tid: nthTid(3), records: [{ data: filler(6 * PAGE) }] }]);
    const { position } = large.places[3]!;
    const firstPage = Math.ceil((position + 200) / PAGE) * PAGE;
    const zeros = (from: number, to: number) => altered(large.bytes, (_, bytes) => bytes.fill(0, from, to));
    const probe = async (slave: Uint8Array, copiedFrom = position) => {
      const scene = { claimed: slave, slave, master: large.bytes, copiedFrom };
      return (await probeAt(scene, 'verified', 'generation')).generation;
    };

    it('as pages that had not arrived, when they are whole pages that the last run copied', async () => {
      const found = await probe(zeros(firstPage, firstPage + 2 * PAGE));
      assert.equal(found?.kind, 'stale');
      assert.ok(found.resume.position <= position);
      const fromOldEnd = await probe(zeros(firstPage + 100, firstPage + PAGE), firstPage + 100);
      assert.equal(fromOldEnd?.kind, 'stale', 'the rest of the page in which the file had ended');
    });

    it('as damage when they are less than a page, or in a page with another byte', async () => {
      assert.equal((await probe(zeros(firstPage, firstPage + PAGE - 1)))?.kind, 'damaged');
      assert.equal((await probe(zeros(firstPage + 1, firstPage + PAGE)))?.kind, 'damaged');
      const withByte = altered(zeros(firstPage, firstPage + PAGE), (view) => view.setUint8(firstPage + 2000, 1));
      assert.equal((await probe(withByte))?.kind, 'damaged');
    });

    it('as damage when the last run did not copy them, and when the master has few other bytes', async () => {
      assert.equal((await probe(zeros(firstPage, firstPage + PAGE), firstPage + PAGE))?.kind, 'damaged');
      const empty = zeros(firstPage, firstPage + PAGE);
      const scene = { claimed: empty, slave: empty, master: flipped(empty, firstPage + 9), copiedFrom: position };
      assert.equal((await probeAt(scene, 'verified', 'generation')).generation?.kind, 'damaged');
    });
  });

  it('detects another magic, and a shorter file', async () => {
    assert.deepEqual(await generation({ slave: claimed, master: flipped(grown, 3), exchanged: true }), {
      kind: 'other',
    });
    for (const exchanged of [true, false]) {
      const master = grown.slice(0, places[9]!.end);
      assert.deepEqual(await generation({ slave: claimed, master, exchanged }), { kind: 'other' });
    }
  });

  it('reports other bytes in the same file as damage', async () => {
    const { position, records } = places[3]!;
    const found = await generation({ slave: claimed, master: flipped(grown, records[0]! + 31) });
    assert.equal(found?.kind, 'damaged');
    assert.deepEqual([found.stop.position, found.stop.rule], [position, 'record-tloc']);
  });
});

describe('the probe for new transactions', () => {
  const news = async (master: Uint8Array) =>
    (await probeAt({ claimed, slave: claimed, master }, 'verified', 'news')).news;
  const next = places[20]!;

  it("finds none at the master's end", async () => {
    assert.equal(await news(claimed), false);
  });

  it('finds some when a transaction follows', async () => {
    assert.equal(await news(grown.slice(0, next.end)), true);
  });

  it('finds none when one is in flight up to the end or beyond it', async () => {
    const inFlight = altered(grown, (view) => view.setUint8(next.position + 16, 0x63)).slice(0, next.end);
    assert.equal(await news(inFlight), false);
    assert.equal(await news(inFlight.slice(0, -20)), false);
  });

  it('finds some when more follows a transaction in flight', async () => {
    assert.equal(await news(altered(grown, (view) => view.setUint8(next.position + 16, 0x63))), true);
  });

  it('finds some when a few bytes follow that are no header', async () => {
    assert.equal(await news(grown.slice(0, next.position + 10)), true);
  });
});

describe('the probes of an unknown slave', () => {
  it('compare from the start', async () => {
    const { comparison } = await probeAt({ slave: claimed, master: grown }, 'comparison');
    assert.equal(comparison?.equalUpTo, claimed.length);
  });

  it('find nothing in common with a file of another magic', async () => {
    const { comparison } = await probeAt({ slave: flipped(claimed, 3), master: grown }, 'comparison');
    assert.deepEqual([comparison?.equalUpTo, comparison?.firstDifference], [0, 0]);
    assert.equal(comparison?.slaveEnd, claimed.length);
  });

  it('read its own transactions backward from behind torn bytes', async () => {
    const own = dataFs([...drafts.slice(0, 20), { tid: nthTid(50), records: [{ data: filler(9) }] }]).bytes;
    const torn = new Uint8Array(Buffer.concat([own, filler(11)]));
    const { sides } = await probeAt({ claimed, slave: torn, master: grown }, 'verified', 'sides');
    assert.deepEqual([sides?.onlyHere.count, sides?.onlyHere.last, sides?.onlyThere.count], [1, nthTid(50), 10]);
  });
});
