import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { renderPrometheus } from '../../src/report/prometheus.js';
import type { Standing } from '../../src/report/standing.js';

const STANDING: Standing = {
  slave: '/srv/zeo/Data.fs',
  role: 'slave',
  roleProblem: null,
  term: 0,
  state: 'in-step',
  since: null,
  stateReason: null,
  lastOutcome: null,
  switch: 'on',
  statusFile: '/var/run/syncPozo.status',
  lockedBy: 'nobody',
  size: 1000,
  claim: { position: 900, tid: '03f4a5b6c7d8e9f0', time: '2026-01-01T00:00:01.500Z' },
  blobs: null,
  problem: null,
  lastSync: '2026-01-01T00:01:00.000Z',
  ageSeconds: 3,
  lastFullScrub: null,
  fullScrubAgeSeconds: null,
  master: null,
  lag: null,
  lagProblem: null,
  promoted: null,
  events: [],
  eventsProblem: null,
  together: null,
  keptAside: [],
  keptPacked: [],
};
const NOW = Date.UTC(2026, 0, 1);

/** A line of the exposition format: a comment of a known kind, or a sample whose label values are escaped. */
const LINE =
  /^(# HELP \w+ [^\n\\]+|# TYPE \w+ gauge|\w+\{\w+="([^"\\\n]|\\[\\"n])*"(,\w+="([^"\\\n]|\\[\\"n])*")*\} -?\d+(\.\d+)?)$/;

describe("Prometheus' text format", () => {
  it('has a HELP and a TYPE before the samples of each metric, once', () => {
    const lines = renderPrometheus(STANDING, NOW).split('\n');
    assert.equal(lines.pop(), '');
    const seen = new Set<string>();
    let current = '';
    for (const line of lines) {
      assert.match(line, LINE);
      const [, word, name] = line.split(' ');
      if (word === 'HELP' || word === 'TYPE') {
        if (word === 'HELP') assert.ok(!seen.has(name ?? ''), line);
        else assert.equal(name, current);
        current = name ?? '';
        seen.add(current);
      } else assert.equal(line.split('{')[0], current);
    }
    assert.ok(seen.size >= 10);
  });

  it('escapes the characters of a path', () => {
    const text = renderPrometheus({ ...STANDING, slave: 'a"b\\c\nd' }, NOW);
    assert.ok(text.includes('syncpozo_size_bytes{slave="a\\"b\\\\c\\nd"} 1000\n'));
    for (const line of text.trimEnd().split('\n')) assert.match(line, LINE);
  });

  it('prints times in seconds since the epoch, and omits unknown ones', () => {
    const text = renderPrometheus(STANDING, NOW);
    const time = /^syncpozo_claim_transaction_time_seconds\{.*\} (.*)$/m.exec(text)?.[1];
    assert.equal(Number(time), NOW / 1000 + 1.5);
    assert.match(text, /^syncpozo_status_time_seconds\{.*\} 1767225600$/m);
    const nothing = { ...STANDING, role: 'none', size: null, claim: null, lastSync: null } as const;
    assert.doesNotMatch(renderPrometheus(nothing, NOW), /size_bytes|claim_|last_sync|lag|null/);
    assert.match(renderPrometheus(nothing, NOW), /^syncpozo_dat_usable\{.*\} 0$/m);
  });
});
