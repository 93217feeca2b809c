import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { it } from 'node:test';
import { formatRole } from '../../src/standby/role.js';
import { eventually } from '../support/eventually.js';
import { withPair } from '../support/pair.js';
import { promote, roleOf } from '../support/promotion.js';
import { watching } from './watching.js';

it('a watch of a promoted side, with the switch off, finds that the other one has served since, and marks it', () =>
  withPair(async (pair) => {
    promote(pair.synced());
    const run = await watching(pair, async (watch) => {
      await eventually('a round has ended', () => watch.printed.includes('\n'));
      const began = { term: 2, position: 4, tid: 1n, at: 1, host: 'm1', command: 'promote', unused: false };
      writeFileSync(`${pair.masterFile}.role`, formatRole({ role: 'master', terms: [began] }));
      // Sooner than the ten seconds after which a round is due in any case.
      await eventually('it is marked', () => roleOf(pair) === 'superseded', 8000);
    });
    assert.match(run.stderr, /"event":"superseded"/);
    assert.match(readFileSync(`${pair.slaveFile}.role`, 'utf8'), /^began 1 /m);
  }));
