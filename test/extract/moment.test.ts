import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseMoment } from '../../src/extract/moment.js';
import { tidToTime } from '../../src/filestorage/tid.js';

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

  it('is nothing else', () => {
    for (const text of ['', 'now', '2026', '2026-11-28', '2026-02-29T10:00', '2026-13-01T10:00', '2026-11-31T10:00Z'])
      assert.equal(parseMoment(text), undefined, text);
    for (const text of ['2026-11-28T24:00', '2026-11-28T10:60', '2026-11-28T10:00+25:00', '040d527d9a7fbbb', '14:02'])
      assert.equal(parseMoment(text), undefined, text);
  });
});
