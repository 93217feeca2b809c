import assert from 'node:assert/strict';
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, type Context, it } from '../support/apart.js';
import { crashesOf, type Depth } from './crashes.js';
import { Judge } from './judge.js';
import { fastDirectory } from './materialise.js';
import { badKinds, type Line } from './report.js';
import type { Scenario } from './scenario.js';

export interface Enumerated {
  readonly lines: Line[];
  /** Keys of the judged states. */
  readonly counted: Set<string>;
  readonly judge: () => Judge;
}

/** Defines a test per scenario: no state after any of its crashes is bad. */
export function enumerateAll(
  depthOf: (scenario: Scenario) => Depth,
  scenarios: readonly Scenario[],
  onLine: (t: Context, line: Line) => void = () => {},
): Enumerated {
  const lines: Line[] = [];
  const counted = new Set<string>();
  let judge: Judge;
  before(() => {
    judge = new Judge(mkdtempSync(join(fastDirectory(), 'syncpozo-crash-')));
  });
  after(() => judge.close());
  for (const scenario of scenarios) {
    it(`of: ${scenario.name}`, async (t) => {
      const line = await crashesOf(scenario, judge, depthOf(scenario), counted);
      lines.push(line);
      onLine(t, line);
      assert.equal(line.bad.length, 0, badKinds(line.bad));
    });
  }
  return { lines, counted, judge: () => judge };
}
