import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Progress } from '../../src/report/progress.js';

const MIB = 1 << 20;
const CLEAR = '\r\u001b[K';

/** A progress line with a manual clock, and its output. */
function progress() {
  const written: string[] = [];
  const clock = { now: 5000 };
  const line = new Progress(
    (text) => void written.push(text),
    () => clock.now,
  );
  return {
    written,
    line,
    showAfter(milliseconds: number, position: number, size: number): void {
      clock.now = 5000 + milliseconds;
      line.show(position, size);
    },
  };
}

describe('the progress line', () => {
  it('is neither written nor removed for work of less than a second', () => {
    const { written, line, showAfter } = progress();
    for (let time = 0; time < 1000; time += 50) showAfter(time, time * MIB, 1000 * MIB);
    line.end();
    assert.deepEqual(written, []);
  });

  it('shows percent, size, rate and the seconds left', () => {
    const { written, showAfter } = progress();
    showAfter(0, 0, 100 * MIB);
    showAfter(2000, 20 * MIB, 100 * MIB);
    assert.deepEqual(written, [`${CLEAR}20 % of 100.0 MiB, 10.0 MiB/s, 8 s left`]);
  });

  it('computes the rate from the start of the work, not of the file', () => {
    const { written, showAfter } = progress();
    showAfter(0, 80 * MIB, 100 * MIB);
    showAfter(1000, 90 * MIB, 100 * MIB);
    assert.deepEqual(written, [`${CLEAR}90 % of 100.0 MiB, 10.0 MiB/s, 1 s left`]);
  });

  it('is written at most five times a second', () => {
    const { written, showAfter } = progress();
    for (let time = 0; time <= 3000; time += 10) showAfter(time, time, 3000);
    assert.equal(written.length, 11);
  });

  it('estimates no time left while nothing moves', () => {
    const { written, showAfter } = progress();
    showAfter(0, 5, 10);
    showAfter(1500, 5, 10);
    assert.deepEqual(written, [`${CLEAR}50 % of 10 B, 0 B/s`]);
  });

  it('is removed at the end', () => {
    const { written, line, showAfter } = progress();
    showAfter(0, 0, 10);
    showAfter(1000, 10, 10);
    line.end();
    assert.equal(written.at(-1), CLEAR);
  });

  it('contains no line break, whatever the numbers', () => {
    const { written, showAfter } = progress();
    showAfter(0, 0, 0);
    showAfter(1000, 0, 0);
    showAfter(1300, 2 ** 52, 2 ** 53 - 1);
    assert.equal(written.length, 2);
    for (const text of written) {
      assert.ok(text.startsWith(CLEAR));
      assert.match(text.slice(CLEAR.length), /^\d+ % of [0-9.]+ [KMGT]?i?B, [0-9.]+ [KMGT]?i?B\/s(, \d+ s left)?$/);
    }
  });

  it('shows no rate below zero when the work starts again', () => {
    const { written, showAfter } = progress();
    showAfter(0, 80 * MIB, 100 * MIB);
    showAfter(2000, 10 * MIB, 100 * MIB);
    for (const text of written) assert.doesNotMatch(text, /-\d/);
  });
});
