import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseMoment } from '../../src/extract/moment.js';
import { tidToIso, tidToTime } from '../../src/filestorage/tid.js';

function timeOf(text: string): string | undefined {
  const moment = parseMoment(text);
  return moment && new Date(Math.round(tidToTime(moment.tid) ?? Number.NaN)).toISOString();
}

describe('a moment', () => {
  it('is a tid', () => {
    assert.equal(parseMoment('040d527d9a7fbbbb')?.tid, 0x040d527d9a7fbbbbn);
    assert.equal(parseMoment('0x040D527D9A7FBBBB')?.tid, 0x040d527d9a7fbbbbn);
    assert.equal(parseMoment('0000000000000000')?.time, null);
  });

  it('is a time with a zone', () => {
    assert.equal(timeOf('2026-11-28T14:02Z'), '2026-11-28T14:02:00.000Z');
    assert.equal(timeOf('2026-11-28 14:02:03z'), '2026-11-28T14:02:03.000Z');
    assert.equal(timeOf('2026-11-28T14:02:03.25+01:00'), '2026-11-28T13:02:03.250Z');
    assert.equal(timeOf('2026-11-28T23:59:59,9-0130'), '2026-11-29T01:29:59.900Z');
    assert.equal(timeOf('2028-02-29T00:00+05'), '2028-02-28T19:00:00.000Z');
  });

  it('is a local time without one', () => {
    assert.equal(timeOf('2026-11-28T14:02:03'), new Date(2026, 10, 28, 14, 2, 3).toISOString());
  });

  it('is finer than a millisecond', () => {
    const [one, other] = ['2026-11-28T14:02:03.000001Z', '2026-11-28T14:02:03.000002Z'].map(
      (each) => parseMoment(each)?.tid,
    );
    assert.ok(one !== undefined && other !== undefined && one < other);
  });

  it('is all of a millisecond that is printed: the time of a transaction has that transaction', () => {
    for (let n = 0n; n < 2000n; n++) {
      const tid = 0x040d52a9_00000000n + ((n * 2_147_483n) % 2n ** 32n);
      const printed = parseMoment(tidToIso(tid)!)!.tid;
      // A tid is 14 nanoseconds; the next millisecond does not belong to it.
      assert.ok(printed >= tid && printed - tid < 71_600n, `${tidToIso(tid)}: ${printed - tid}`);
    }
    // 14:02:03.123456 and less than a microsecond, by hand: seconds * 2^32 / 60.
    const tid = 0x040d5231_00000000n + BigInt(Math.floor((3.1234567 * 2 ** 32) / 60));
    const found = parseMoment('2026-11-28T15:13:03.123456Z')!.tid;
    assert.ok(found >= tid && found - tid < 72n, String(found - tid));
    assert.equal(parseMoment('2026-11-28T14:02:59.999Z')!.tid + 1n, parseMoment('2026-11-28T14:03Z')!.tid);
    assert.equal(parseMoment('2026-11-28T14:02:30.5Z')!.tid & 0xffff_ffffn, BigInt(Math.floor((30.5 * 2 ** 32) / 60)));
  });

  it('is nothing else', () => {
    assert.equal(parseMoment('9999-12-31T00:00Z'), undefined);
    for (const text of ['', 'now', '2026', '2026-11-28', '2026-02-29T10:00', '2026-13-01T10:00', '2026-11-31T10:00Z'])
      assert.equal(parseMoment(text), undefined, text);
    for (const text of ['2026-11-28T24:00', '2026-11-28T10:60', '2026-11-28T10:00+25:00', '040d527d9a7fbbb', '14:02'])
      assert.equal(parseMoment(text), undefined, text);
  });
});
