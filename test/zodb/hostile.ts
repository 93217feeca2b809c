import assert from 'node:assert/strict';
import fc from 'fast-check';
import { bytesOf, type HostileFile, hostileFiles } from '../hostile/damage.js';
import { agrees, DIFFERENCES, explanations, type Seen } from '../hostile/differences.js';
import { runs } from '../hostile/settings.js';
import { walkOver } from '../support/walking.js';
import { HostileJudge, type HostileVerdict } from './hostile-judge.js';

/** How many files matched each row of the table, and how many matched none. */
export type Tally = Map<string, number>;

/** Files per question to ZODB. Shrinking the list finds a failing one. */
const FILES_A_RUN = 20;

/** Generates about this many files, and compares the walk over each with both of ZODB's readers. */
export async function compareWithZodb(files: number): Promise<Tally> {
  const judge = new HostileJudge();
  const tally: Tally = new Map([
    ['files', 0],
    ['no difference', 0],
    ...DIFFERENCES.map(({ name }): [string, number] => [name, 0]),
  ]);
  const property = fc.asyncProperty(
    fc.array(hostileFiles(), { minLength: 1, maxLength: FILES_A_RUN, size: 'max' }),
    async (hostile) => {
      const contents = hostile.map(bytesOf);
      const verdicts = await judge.judge(contents);
      for (const [n, bytes] of contents.entries()) assertExplained(hostile[n]!, bytes, verdicts[n]!, tally);
    },
  );
  try {
    await fc.assert(property, runs(Math.ceil(files / (FILES_A_RUN / 2))));
  } finally {
    await judge.close();
  }
  return tally;
}

function assertExplained(file: HostileFile, bytes: Uint8Array, verdict: HostileVerdict, tally: Tally): void {
  count(tally, 'files');
  const seen = { bytes, view: new DataView(bytes.buffer), walk: walkOver(bytes) };
  assert.equal(
    verdict.open.error ?? verdict.open.end,
    verdict.scan.error ?? verdict.scan.end,
    JSON.stringify({ file, verdict }, print, 1),
  );
  const names = [
    ...explained('read_index', { ...seen, theirs: verdict.scan }),
    ...explained('fstest', { ...seen, theirs: verdict.fstest }),
  ];
  if (names.length === 0) count(tally, 'no difference');
  for (const name of names) count(tally, name);

  function explained(judge: 'read_index' | 'fstest', about: Seen): string[] {
    if (agrees(judge, about)) return [];
    const rows = explanations(judge, about);
    const hex = Buffer.from(bytes).toString('hex');
    const what = JSON.stringify({ judge, stop: about.walk.stop, theirs: about.theirs, rows, file, hex }, print, 1);
    assert.equal(rows.length, 1, `a difference that is in ${rows.length} rows of the table: ${what}`);
    return rows;
  }
}

function print(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? `0x${value.toString(16)}` : value;
}

function count(tally: Tally, name: string): void {
  tally.set(name, (tally.get(name) ?? 0) + 1);
}
