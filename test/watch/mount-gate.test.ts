import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ReadDeadline } from '../../src/pipeline/read-deadline.js';
import { MountGate } from '../../src/watch/mount-gate.js';
import { eventually } from '../support/eventually.js';

describe('the gate before a mount that hangs', () => {
  it('asks the mount again after some seconds, also when the clock of the host was set back', async () => {
    let elapsed = 100_000;
    const gate = new MountGate(() => elapsed);
    const deadline = new ReadDeadline(5);
    deadline.giveUp(new Promise(() => {}), 'read', '/mnt/m1/Data.fs');
    // One day later than it is: then the clock is put right.
    const tomorrow = Date.now() + 86_400_000;
    gate.shut('/dev/zero', deadline, tomorrow);
    assert.deepEqual([gate.check().open, gate.hungSince], [false, tomorrow - 5000]);
    elapsed += 6000;
    gate.check();
    let hungSeconds: number | undefined;
    await eventually('a child process has had an answer', () => {
      elapsed += 6000;
      ({ hungSeconds } = gate.check());
      return hungSeconds !== undefined;
    });
    assert.ok(Number(hungSeconds) >= 17, `${hungSeconds}`);
  });
});
