import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { formatTid, parseTid, tidToIso, tidToTime, timeToTid } from '../../src/filestorage/tid.js';

/** The results of ZODB's `persistent.timestamp.TimeStamp` for these times. */
const GOLDEN: readonly (readonly [string, string])[] = [
  ['1970-01-01T00:00:00.000Z', '023c2b0000000000'],
  ['1980-02-29T00:00:00.125Z', '028f33e000888888'],
  ['1999-12-31T23:59:00.001Z', '033161ff0001179e'],
  ['2000-02-29T12:34:56.789Z', '0332b0d2f24cbb52'],
  ['2007-07-07T07:07:07.777Z', '036ed32b212e8ed0'],
  ['2015-06-30T18:45:15.250Z', '03b00ce541111111'],
  ['2023-10-31T01:02:03.000Z', '03f42bde0ccccccc'],
  ['2024-12-31T23:59:59.999Z', '03fdba7ffffee861'],
  ['2026-11-23T05:19:09.500Z', '040d33bf28888888'],
  ['2038-01-19T03:14:08.000Z', '0468630222222222'],
  ['2100-03-01T00:00:30.000Z', '066420c080000000'],
];

describe('a tid', () => {
  for (const [time, tid] of GOLDEN) {
    it(`for ${time} is ${tid}, as in ZODB`, () => {
      assert.equal(formatTid(timeToTid(Date.parse(time))), tid);
      assert.equal(tidToIso(BigInt(`0x${tid}`)), time);
    });
  }

  it('has the time that it was made from, to the millisecond', () => {
    const minute = Date.UTC(2020, 1, 29, 23, 59);
    for (let ms = 0; ms < 60_000; ms += 7) {
      assert.equal(tidToIso(timeToTid(minute + ms)), new Date(minute + ms).toISOString());
    }
  });

  it('is the same for the whole minutes of every day of a leap year and its neighbours', () => {
    for (let day = Date.UTC(1999, 0, 1); day < Date.UTC(2002, 0, 1); day += 86_400_000 - 60_000) {
      assert.equal(tidToTime(timeToTid(day)), day);
    }
  });

  it('rises with the time', () => {
    let before = 0n;
    for (let time = Date.UTC(2024, 1, 27); time < Date.UTC(2024, 2, 3); time += 977_777) {
      assert.ok(timeToTid(time) > before);
      before = timeToTid(time);
    }
  });

  it('before 1970 has its time too', () => {
    const time = Date.UTC(1960, 5, 1, 1, 1, 1, 125);
    assert.equal(tidToIso(timeToTid(time)), '1960-06-01T01:01:01.125Z');
  });

  it('with a day that its month lacks has no time', () => {
    for (const tid of ['03f6e52000000000', 'ffffffffffffffff'.replace(/^f{8}/, '03f6e520')]) {
      assert.equal(tidToTime(BigInt(`0x${tid}`)), undefined);
      assert.equal(tidToIso(BigInt(`0x${tid}`)), null);
    }
  });

  it('of zero has no time', () => {
    assert.equal(tidToIso(0n), null);
  });

  it('with all bits set does not throw', () => {
    assert.equal(tidToIso((1n << 64n) - 1n), '9917-10-14T04:16:00.000Z');
  });
});

describe('the text of a tid', () => {
  it('is 16 digits, and is read back, with and without 0x', () => {
    for (const tid of [0n, 1n, 0x040d33bf28888888n, (1n << 64n) - 1n]) {
      assert.equal(formatTid(tid).length, 16);
      assert.equal(parseTid(formatTid(tid)), tid);
      assert.equal(parseTid(`0x${formatTid(tid).toUpperCase()}`), tid);
    }
  });

  it('is refused in any other form', () => {
    for (const text of [
      '',
      '0',
      '0x',
      '040d33bf2888888',
      '040d33bf288888888',
      '040d33bf2888888g',
      '-40d33bf28888888',
    ]) {
      assert.equal(parseTid(text), undefined, text);
    }
  });
});
