import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { judge } from '../../src/commands/thresholds.js';
import { renderStanding, type Standing } from '../../src/report/standing.js';
import { syncpozo } from '../support/cli.js';
import { type Pair, withPair } from '../support/pair.js';

function statusOf(pair: Pair, ...more: string[]) {
  return syncpozo(['status', pair.slave, '--master', pair.master, '--status-file', pair.statusFile, ...more]);
}

describe('numbers in text output', () => {
  it('agree with their nouns', () =>
    withPair((pair) => {
      pair.synced();
      for (const [count, words] of [
        [1, '1 transaction'],
        [2, '2 transactions'],
      ] as const) {
        pair.commit(`transaction ${count}`);
        assert.match(statusOf(pair).stdout, new RegExp(`^lag: .* s, ${words}, \\d+ bytes$`, 'm'));
        const verified = syncpozo(['verify', pair.slave, '--against', pair.master]).stdout;
        assert.match(verified, new RegExp(`, and behind by .* s, ${words}, \\d+ bytes$`, 'm'));
        assert.match(verified, /^holds: +3 transactions, 5 records, 3 objects$/m);
      }
      const logged = syncpozo(['log', pair.master, '-n', '1']).stdout;
      assert.match(logged, / 1 object /);
    }));

  it('agree with their nouns in a loss as well', () =>
    withPair((pair) => {
      pair.synced();
      pair.commit('is lost');
      const args = [
        'promote',
        pair.slave,
        '--master',
        pair.master,
        '--patience',
        '10',
        '--catch-up',
        '0',
        '--status-file',
        pair.statusFile,
      ];
      assert.match(syncpozo(args).stdout, /^1 transaction after [0-9a-f]{16} \(.*\) IS LOST: /m);
    }));

  it('are rounded, and exact in JSON and for a monitor', () =>
    withPair((pair) => {
      pair.synced();
      pair.commit('more');
      const exact = 7.400000002;
      const standing = JSON.parse(statusOf(pair, '--json').stdout) as Standing;
      const behind = { ...standing, lag: { seconds: exact, transactions: 1, bytes: 1 } };
      assert.match(renderStanding(behind), /^lag: +7\.4 s, 1 transaction, 1 byte$/m);
      const limits = { maxLag: { warning: undefined, critical: 60 }, maxAge: undefined, maxScrubAge: undefined };
      const verdict = judge(behind, limits, Date.now());
      assert.deepEqual(verdict.words, ['lag 7.4 s']);
      assert.equal(verdict.figures[0]?.value, exact);
    }));

  it('are absent when they are not known', () =>
    withPair((pair) => {
      pair.synced();
      const standing = JSON.parse(statusOf(pair, '--json').stdout) as Standing;
      const timeless = { ...standing, lag: { seconds: null, transactions: 1, bytes: 90 } };
      const limits = { maxLag: { warning: undefined, critical: 60 }, maxAge: undefined, maxScrubAge: undefined };
      assert.deepEqual(judge(timeless, limits, Date.now()).words, ['lag not known: the transactions name no time']);
    }));
});
