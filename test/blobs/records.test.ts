import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, it } from 'node:test';
import { inProject } from '../support/root.js';
import { fixedSeed } from '../support/seed.js';
import { python } from '../support/venv.js';

const seed = fixedSeed(20_261_128);

type Verdict = 'blob' | 'other' | 'encrypted';

interface Row {
  readonly name: string;
  readonly kind: 'written' | 'near miss' | 'future' | 'odd';
  readonly hex: string;
  readonly expected: Verdict;
}

interface Matcher {
  readonly isBlobRecord: (data: Uint8Array) => Verdict;
}

function table(): readonly Row[] {
  const script = inProject('test', 'blobs', 'records.py');
  const run = spawnSync(python(), ['-B', script, seed], { encoding: 'utf8', maxBuffer: 1 << 26 });
  assert.equal(run.status, 0, run.stderr);
  return run.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Row);
}

describe("the matcher of blobs' records agrees with ZODB", async () => {
  const rows = table();
  const { isBlobRecord } = (await import(inProject('dist', 'src', 'filestorage', 'blob-record.js'))) as Matcher;
  const verdictOf = (row: Row): Verdict => isBlobRecord(Buffer.from(row.hex, 'hex'));
  const differences = (kind: Row['kind']): readonly string[] =>
    rows
      .filter((row) => row.kind === kind && verdictOf(row) !== row.expected)
      .map((row) => `${row.name} (${row.expected}): ${row.hex.slice(0, 200)}`);

  it('about every form that a ZODB has written', () => {
    assert.ok(rows.filter(({ kind, expected }) => kind === 'written' && expected === 'blob').length > 50);
    assert.deepEqual(differences('written'), []);
  });

  it('about near misses', () => {
    assert.ok(rows.filter(({ kind }) => kind === 'near miss').length > 150);
    assert.deepEqual(differences('near miss'), []);
  });

  it('and has a verdict about everything else', (t) => {
    for (const row of rows) assert.ok(['blob', 'other', 'encrypted'].includes(verdictOf(row)), row.name);
    t.diagnostic(`seed ${seed}; other verdicts than ZODB's: ${differences('odd').length} of odd bytes`);
    t.diagnostic(`protocols 4 and 5, which ZODB does not read: ${differences('future').length} taken for blobs`);
  });

  it('wherever the bytes begin in their buffer', () => {
    for (const row of rows.filter(({ kind }) => kind === 'written')) {
      const bytes = Buffer.from(`ff${row.hex}ff`, 'hex');
      assert.equal(isBlobRecord(bytes.subarray(1, -1)), row.expected, row.name);
    }
  });
});
