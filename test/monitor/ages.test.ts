import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Ages } from '../../src/monitor/ages.js';

/** Two clocks, in seconds; the time of day can be set. */
class Clocks {
  day = 1_000_000;
  up = 0;
  readonly clock = { now: () => this.day * 1000, elapsed: () => this.up * 1000 };
  readonly ages = new Ages(this.clock);

  pass(seconds: number): this {
    this.day += seconds;
    this.up += seconds;
    return this;
  }

  set(seconds: number): this {
    this.day += seconds;
    return this;
  }
}

describe('the age of a moment', () => {
  it('is the time since', () => {
    const clocks = new Clocks();
    const moment = clocks.day * 1000;
    assert.equal(clocks.pass(2).ages.of('x', moment), 2);
    assert.equal(clocks.pass(3).ages.of('x', moment), 5);
    assert.equal(clocks.ages.of('x', undefined), undefined);
  });

  it('does not fall when the clock is set back', () => {
    const clocks = new Clocks();
    const moment = clocks.day * 1000;
    clocks.pass(1).ages.observe('x', moment);
    // A naive difference would be 1 s.
    assert.equal(clocks.pass(300).set(-300).ages.of('x', moment), 301);
  });

  it('is not known where the moment was in the future when it was seen first', () => {
    const clocks = new Clocks();
    const moment = clocks.day * 1000;
    assert.equal(clocks.set(-60).ages.of('x', moment), undefined);
    assert.equal(clocks.pass(100).ages.of('x', moment), undefined);
    assert.equal(clocks.pass(1).ages.of('x', clocks.day * 1000), 0);
  });

  it('counts a machine that slept, whose other clock stood still', () => {
    const clocks = new Clocks();
    const moment = clocks.day * 1000;
    clocks.ages.observe('x', moment);
    assert.equal(clocks.set(500).ages.of('x', moment), 500);
  });

  it('is kept by name', () => {
    const clocks = new Clocks();
    const moment = clocks.day * 1000;
    clocks.ages.observe('x', moment);
    clocks.pass(10);
    assert.equal(clocks.ages.of('y', clocks.day * 1000), 0);
    assert.equal(clocks.ages.of('x', moment), 10);
  });
});
