import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { altered, dataFs, filler, nthTid, plain } from '../support/data-fs.js';
import { chunksOf, probeAt } from '../support/scene.js';

/** 20 transactions that were synced, and more that the master may have got since. */
const drafts = plain(30, 100);
const claimed = dataFs(drafts.slice(0, 20)).bytes;
const grown = dataFs(drafts).bytes;
const places = dataFs(drafts).places;
const flipped = (bytes: Uint8Array, at: number) => altered(bytes, (view) => view.setUint8(at, view.getUint8(at) ^ 1));

describe('the probe of what verifies', () => {
  it('finds the claim where the last chunk verifies', async () => {
    const { verified } = await probeAt({ claimed, slave: claimed, master: grown }, 'verified');
    assert.deepEqual(verified, await chunksOf(claimed));
  });

  it('goes back chunk by chunk from a slave that is too short', async () => {
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

  it('goes back before the chunk in which a byte has changed, and names it', async () => {
    const { chunks } = await chunksOf(claimed);
    const last = chunks.at(-1)!;
    const { verified } = await probeAt(
      { claimed, slave: flipped(claimed, last.start + 50), master: grown },
      'verified',
    );
    assert.deepEqual([verified?.position, verified?.masterAgrees], [last.start, true]);
    assert.match(verified?.problem ?? '', new RegExp(`${last.start} to ${last.end} do not match their checksum`));
  });

  it('names all chunks that only the slave has wrong, and the claim to go on from when they are repaired', async () => {
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

  it('names none where the slave is too short, or the master has them wrong as well', async () => {
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

  it('sees that the master does not have the bytes any more that were copied', async () => {
    const at = (await chunksOf(claimed)).chunks.at(-1)!.start + 50;
    const { verified } = await probeAt(
      { claimed, slave: flipped(claimed, at), master: flipped(grown, at) },
      'verified',
    );
    assert.equal(verified?.masterAgrees, false);
  });

  it('leaves a hash state to go on from', async () => {
    const { chunks, tailState } = await chunksOf(claimed.slice(0, places[12]!.end));
    const { verified } = await probeAt(
      { claimed: claimed.slice(0, places[12]!.end), slave: grown, master: grown },
      'verified',
    );
    assert.deepEqual([verified?.chunks, verified?.tailState], [chunks, tailState]);
  });
});

describe('the probe of the generation', () => {
  const generation = async (scene: Omit<Parameters<typeof probeAt>[0], 'claimed'>) => {
    return (await probeAt({ claimed, ...scene }, 'verified', 'generation')).generation;
  };

  it('knows the same file again, grown or not', async () => {
    for (const master of [claimed, grown]) {
      assert.deepEqual(await generation({ slave: claimed, master }), { kind: 'same', moved: false });
    }
  });

  it('knows another file with the same bytes as moved', async () => {
    const found = await generation({ slave: claimed, master: grown, exchanged: true });
    assert.deepEqual(found, { kind: 'same', moved: true });
  });

  it('sees another file with other transactions, wherever they begin', async () => {
    for (const at of [0, 10, 19]) {
      const others = drafts.map((draft, n) => (n === at ? { ...draft, tid: nthTid(n) + 1n } : draft));
      const found = await generation({ slave: claimed, master: dataFs(others).bytes, exchanged: true });
      assert.deepEqual(found, { kind: 'other' }, `at ${at}`);
    }
  });

  it('takes the same transactions from before a pack for another file', async () => {
    const slave = dataFs(drafts.slice(0, 20).map((draft, n) => (n < 3 ? { ...draft, status: 'p' } : draft))).bytes;
    const found = await probeAt({ claimed: slave, slave, master: grown, exchanged: true }, 'verified', 'generation');
    assert.deepEqual(found.generation, { kind: 'other' });
  });

  it('takes the same transactions packed for another file', async () => {
    const packed = drafts.map((draft, n) => (n < 3 ? { ...draft, status: 'p' } : draft));
    const found = await generation({ slave: claimed, master: dataFs(packed).bytes, exchanged: true });
    assert.deepEqual(found, { kind: 'other' });
  });

  it('takes other bytes in the same transactions for damage, in another file anywhere', async () => {
    for (const at of [20, places[12]!.records[0]! + 50, claimed.length - 20]) {
      for (const exchanged of [true, false]) {
        const found = await generation({ slave: claimed, master: flipped(grown, at), exchanged });
        assert.equal(found?.kind, 'damaged', `at ${at}`);
        assert.deepEqual([found.stop.rule, found.stop.at], ['hash', at]);
        assert.ok(found.stop.position <= at);
      }
    }
  });

  it('says so where the slave is wrong as well', async () => {
    const found = await generation({ slave: flipped(claimed, 90), master: flipped(grown, 80) });
    assert.equal(found?.kind, 'damaged');
    assert.match(found.stop.message, /differ from the slave's at 80, and those are wrong as well/);
  });

  it('names the old chunks in which only the slave is wrong', async () => {
    const [chunk] = (await chunksOf(claimed)).chunks;
    const found = await generation({ slave: flipped(claimed, 90), master: grown });
    assert.deepEqual(found, { kind: 'same', moved: false, repairs: [chunk] });
  });

  describe('takes zeros on the slave, where the master has other bytes now,', () => {
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

    it('for pages that were not there yet, where they are whole pages of what the last run copied', async () => {
      const found = await probe(zeros(firstPage, firstPage + 2 * PAGE));
      assert.equal(found?.kind, 'stale');
      assert.ok(found.resume.position <= position);
      const fromOldEnd = await probe(zeros(firstPage + 100, firstPage + PAGE), firstPage + 100);
      assert.equal(fromOldEnd?.kind, 'stale', 'the rest of the page in which the file had ended');
    });

    it('for damage where they are less than a page, or a page with another byte in it', async () => {
      assert.equal((await probe(zeros(firstPage, firstPage + PAGE - 1)))?.kind, 'damaged');
      assert.equal((await probe(zeros(firstPage + 1, firstPage + PAGE)))?.kind, 'damaged');
      const withByte = altered(zeros(firstPage, firstPage + PAGE), (view) => view.setUint8(firstPage + 2000, 1));
      assert.equal((await probe(withByte))?.kind, 'damaged');
    });

    it('for damage where the last run had not copied them, and where the master has few other bytes', async () => {
      assert.equal((await probe(zeros(firstPage, firstPage + PAGE), firstPage + PAGE))?.kind, 'damaged');
      const empty = zeros(firstPage, firstPage + PAGE);
      const scene = { claimed: empty, slave: empty, master: flipped(empty, firstPage + 9), copiedFrom: position };
      assert.equal((await probeAt(scene, 'verified', 'generation')).generation?.kind, 'damaged');
    });
  });

  it('sees another magic, and a file that is shorter', async () => {
    assert.deepEqual(await generation({ slave: claimed, master: flipped(grown, 3), exchanged: true }), {
      kind: 'other',
    });
    for (const exchanged of [true, false]) {
      const master = grown.slice(0, places[9]!.end);
      assert.deepEqual(await generation({ slave: claimed, master, exchanged }), { kind: 'other' });
    }
  });

  it('names damage in the same file with other bytes', async () => {
    const { position, records } = places[3]!;
    const found = await generation({ slave: claimed, master: flipped(grown, records[0]! + 31) });
    assert.equal(found?.kind, 'damaged');
    assert.deepEqual([found.stop.position, found.stop.rule], [position, 'record-tloc']);
  });
});

describe('the probe for news', () => {
  const news = async (master: Uint8Array) =>
    (await probeAt({ claimed, slave: claimed, master }, 'verified', 'news')).news;
  const next = places[20]!;

  it('has none where the master ends', async () => {
    assert.equal(await news(claimed), false);
  });

  it('has some where a transaction follows', async () => {
    assert.equal(await news(grown.slice(0, next.end)), true);
  });

  it('has none where one is in flight up to the end, or goes on beyond it', async () => {
    const inFlight = altered(grown, (view) => view.setUint8(next.position + 16, 0x63)).slice(0, next.end);
    assert.equal(await news(inFlight), false);
    assert.equal(await news(inFlight.slice(0, -20)), false);
  });

  it('has some where more follows behind one in flight', async () => {
    assert.equal(await news(altered(grown, (view) => view.setUint8(next.position + 16, 0x63))), true);
  });

  it('has some where a few bytes follow that are no header', async () => {
    assert.equal(await news(grown.slice(0, next.position + 10)), true);
  });
});

describe('the probes of a slave of which nothing is known', () => {
  it('compare from the beginning', async () => {
    const { comparison } = await probeAt({ slave: claimed, master: grown }, 'comparison');
    assert.equal(comparison?.equalUpTo, claimed.length);
  });

  it('find nothing in common with a file of another magic', async () => {
    const { comparison } = await probeAt({ slave: flipped(claimed, 3), master: grown }, 'comparison');
    assert.deepEqual([comparison?.equalUpTo, comparison?.firstDifference], [0, 0]);
    assert.equal(comparison?.slaveEnd, claimed.length);
  });

  it('read transactions of its own back from behind bytes that are torn', async () => {
    const own = dataFs([...drafts.slice(0, 20), { tid: nthTid(50), records: [{ data: filler(9) }] }]).bytes;
    const torn = new Uint8Array(Buffer.concat([own, filler(11)]));
    const { sides } = await probeAt({ claimed, slave: torn, master: grown }, 'verified', 'sides');
    assert.deepEqual([sides?.onlyHere.count, sides?.onlyHere.last, sides?.onlyThere.count], [1, nthTid(50), 10]);
  });
});
