import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { findBoundary } from '../../src/filestorage/boundary.js';
import { MAGIC_LENGTH } from '../../src/filestorage/layout.js';
import { findings, WINDOWS, walkOver } from '../support/walking.js';
import { bytesOf, hostileFiles } from './damage.js';
import { build, filePlans } from './generate.js';
import { hostileSeed, runs } from './settings.js';

const RUNS = 500;

const windows = fc.oneof(fc.constantFrom(...WINDOWS), fc.integer({ min: 1, max: 200 }));

describe(`generated files (seed ${hostileSeed})`, () => {
  it('healthy ones are walked to their end, and every transaction is reported', () => {
    fc.assert(
      fc.property(filePlans(0), windows, (plan, window) => {
        const { bytes, places } = build(plan);
        const reported: number[] = [];
        const walk = walkOver(bytes, { window, onTransaction: (position) => void reported.push(position) });
        assert.deepEqual(walk.stop, { kind: 'end', position: bytes.length });
        assert.equal(walk.end, bytes.length);
        assert.equal(walk.warningCount, 0);
        assert.deepEqual(
          reported,
          places.map(({ position }) => position),
        );
        const counted = plan.transactions.filter(({ undone }) => !undone);
        assert.equal(
          walk.records,
          counted.reduce((sum, { records }) => sum + records.length, 0),
        );
      }),
      runs(RUNS),
    );
  });

  it('hostile ones lead to a stop at a boundary within the limit, the same for every window', () => {
    fc.assert(
      fc.property(hostileFiles(), windows, (file, window) => {
        const bytes = bytesOf(file);
        const expected = walkOver(bytes);
        assertBounded(expected, bytes.length);
        assert.deepEqual(findings(walkOver(bytes, { window })), findings(expected));
      }),
      runs(RUNS),
    );
  });

  it('the reported transactions are contiguous, and end where the walk ends', () => {
    fc.assert(
      fc.property(hostileFiles(), (file) => {
        const bytes = bytesOf(file);
        let boundary = MAGIC_LENGTH;
        const walk = walkOver(bytes, {
          onTransaction: (position, length) => {
            assert.equal(position, boundary);
            boundary = position + length + 8;
          },
        });
        assert.equal(boundary, walk.end);
      }),
      runs(RUNS),
    );
  });

  it('a limit below the size hides only what follows it', () => {
    fc.assert(
      fc.property(hostileFiles(), fc.nat(5000), (file, n) => {
        const bytes = bytesOf(file);
        const limit = Math.min(bytes.length, MAGIC_LENGTH + (n % Math.max(1, bytes.length)));
        const walk = walkOver(bytes, { limit });
        assertBounded(walk, limit);
        const whole: number[] = [];
        walkOver(bytes, { onTransaction: (position, length) => void whole.push(position + length + 8) });
        const last = whole.findLast((end) => end <= limit) ?? MAGIC_LENGTH;
        assert.equal(walk.end, last, 'the last boundary of the whole file that lies within the limit');
        assert.deepEqual(findings(walkOver(bytes.slice(0, limit))), findings(walk), 'as if the file ended there');
      }),
      runs(RUNS),
    );
  });

  it('a walk that is cut and continued finds the same as one walk', () => {
    fc.assert(
      fc.property(hostileFiles(2, 9), fc.nat(5000), windows, (file, n, window) => {
        const bytes = bytesOf(file);
        const whole = walkOver(bytes);
        const first = walkOver(bytes, { cutAt: MAGIC_LENGTH + (n % bytes.length), window });
        if (first.stop?.kind !== 'cut') return assert.deepEqual(findings(first), findings(whole));
        const rest = walkOver(bytes, { start: first.end, lastTid: first.lastTid, window });
        assert.deepEqual(rest.stop, whole.stop);
        assert.equal(rest.end, whole.end);
        assert.equal(first.transactions + rest.transactions, whole.transactions);
        assert.equal(first.records + rest.records, whole.records);
        assert.equal(first.warningCount + rest.warningCount, whole.warningCount);
      }),
      runs(RUNS),
    );
  });

  it('every transaction with records is found in a healthy file, and in hostile ones nothing outside of them', () => {
    fc.assert(
      fc.property(hostileFiles(), fc.nat(5000), (file, n) => {
        const bytes = bytesOf(file);
        const from = Math.min(bytes.length, n % (bytes.length + 1));
        const found = findBoundary(new DataView(bytes.buffer, from), bytes.length - from, from, bytes.length);
        assert.ok(found === undefined || (found >= from && found + 65 <= bytes.length));
        const healthy = build(file.plan);
        for (const { position, records } of healthy.places) {
          if (records.length === 0) continue;
          const view = new DataView(healthy.bytes.buffer, position);
          assert.equal(findBoundary(view, view.byteLength, position, healthy.bytes.length), position);
        }
      }),
      runs(RUNS),
    );
  });
});

function assertBounded(walk: ReturnType<typeof walkOver>, limit: number): void {
  assert.ok(walk.stop !== undefined);
  assert.equal(walk.stop.position, walk.end);
  assert.ok(walk.end >= MAGIC_LENGTH && walk.end <= Math.max(limit, MAGIC_LENGTH), `end ${walk.end} of ${limit}`);
  assert.ok(walk.warnings.length <= 100);
}
