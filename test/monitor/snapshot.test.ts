import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Snapshots } from '../../src/monitor/snapshot.js';
import { SILENT } from '../../src/report/log.js';
import type { Standing } from '../../src/report/standing.js';
import { aStanding, monitoredOf } from '../support/monitored.js';

/** A storage whose readings end when the test says so, and a clock that the test moves. */
function scene(deadlineMs: number) {
  const pending: ((standing: Standing) => void)[] = [];
  const clock = { now: () => 0, elapsed: () => elapsed };
  let elapsed = 0;
  const logged: string[] = [];
  const log = {
    ...SILENT,
    info: (_: object, text: string) => void logged.push(text),
    warn: (_: object, text: string) => void logged.push(text),
  };
  const standing = () => new Promise<Standing>((resolve) => void pending.push(resolve));
  const snapshots = new Snapshots(monitoredOf({ standing }, { name: 'other' }), clock, log, deadlineMs);
  const pass = (milliseconds: number): void => {
    elapsed += milliseconds;
  };
  return { pending, snapshots, pass, logged };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('a snapshot', () => {
  it('is taken once for all who ask at a time, and kept for a second', async () => {
    const { pending, snapshots, pass } = scene(60_000);
    const [one, two] = [snapshots.current(), snapshots.current()];
    assert.equal(pending.length, 1);
    pending[0]?.(aStanding());
    assert.equal(await one, await two);
    pass(999);
    assert.equal(await snapshots.current(), await one);
    pass(1);
    const three = snapshots.current();
    assert.equal(pending.length, 2);
    pending[1]?.(aStanding());
    assert.notEqual(await three, await one);
  });

  it('waits once for a reading that hangs, and never uses what it finds in the end', async () => {
    const { pending, snapshots, pass, logged } = scene(100);
    const first = await snapshots.current();
    assert.match(first.storages[0]?.unreadable ?? '', /not answered for 0\.1 s/);
    assert.equal(first.storages[1]?.unreadable, undefined);
    pass(1000);
    // Without any timer: the deadline is not waited for again.
    let second = false;
    void snapshots.current().then(() => {
      second = true;
    });
    for (let n = 0; n < 10 && !second; n++) await turn();
    assert.ok(second);
    assert.equal(pending.length, 1);
    pending[0]?.(aStanding({ term: 7 }));
    await turn();
    pass(1000);
    const third = snapshots.current();
    assert.equal(pending.length, 2);
    pending[1]?.(aStanding({ term: 8 }));
    assert.equal((await third).storages[0]?.standing?.term, 8);
    assert.equal(logged.length, 2);
    assert.match(logged.join(), /cannot be read: .*can be read again/);
  });
});
