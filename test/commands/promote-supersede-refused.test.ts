import assert from 'node:assert/strict';
import { linkSync, mkdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { termOf } from '../../src/commands/loss.js';
import type { PromoteOptions } from '../../src/commands/promote.js';
import { readPeer } from '../../src/commands/side-of-file.js';
import { slavePaths } from '../../src/standby/paths.js';
import { markSuperseded } from '../../src/standby/superseded.js';
import { demote } from '../../src/takeover/demote.js';
import { syncpozo } from '../support/cli.js';
import { heldByOther } from '../support/locks.js';
import { listing, withPair } from '../support/pair.js';
import { dataOf, decide, factsOfRole, roleTextOf, type Split, split, statusOf } from '../support/split-brain.js';

/** Why it is refused; `prepare` returns how to put back what it has done. */
interface Reason {
  readonly name: string;
  readonly exit: number;
  readonly reason: RegExp;
  readonly more?: (sides: Split) => Partial<PromoteOptions>;
  readonly prepare?: (sides: Split) => () => void;
}

const moved = (path: string): (() => void) => {
  renameSync(path, `${path}.away`);
  return () => renameSync(`${path}.away`, path);
};

function written(path: string, change: (bytes: Buffer) => Buffer): () => void {
  const before = readFileSync(path);
  writeFileSync(path, change(before));
  return () => writeFileSync(path, before);
}

/** Answers, but for one time, as a loser that is lost between two questions. */
function lostAt(time: number, { loser }: Split): Partial<PromoteOptions> {
  let asked = 0;
  return {
    termOfMaster: async (name) => (++asked === time ? undefined : termOf(await readPeer(loser, name))),
  };
}

const at = (place: string): Partial<PromoteOptions> => ({
  termOfMaster: async (name) => termOf(await readPeer(place, name)),
});

const NOT_KNOWN = /the term of MASTER is not known/;
const SAME = /SLAVE and MASTER are the same file/;

const REASONS: readonly Reason[] = [
  { name: 'it is not mounted', exit: 3, reason: NOT_KNOWN, prepare: ({ loser }) => moved(loser) },
  {
    name: 'its role file is cut short',
    exit: 3,
    reason: NOT_KNOWN,
    prepare: ({ loser }) => written(`${dataOf(loser)}.role`, (bytes) => bytes.subarray(0, 30)),
  },
  { name: 'it is lost before it is asked', exit: 3, reason: NOT_KNOWN, more: (sides) => lostAt(1, sides) },
  { name: 'it is lost between two questions', exit: 3, reason: NOT_KNOWN, more: (sides) => lostAt(2, sides) },
  { name: 'this side is too old', exit: 3, reason: /too old/, more: () => ({ maxAgeSeconds: 1e-9 }) },
  {
    name: 'this side is no Data.fs',
    exit: 3,
    reason: /is not a Data\.fs/,
    prepare: ({ winner }) =>
      written(dataOf(winner), (bytes) => Buffer.concat([Buffer.from('XXXX'), bytes.subarray(4)])),
  },
  {
    name: 'this side is empty',
    exit: 3,
    reason: /empty/,
    prepare: ({ winner }) => written(dataOf(winner), () => Buffer.of()),
  },
  { name: 'it is this very directory', exit: 2, reason: SAME, more: ({ winner }) => at(winner) },
  { name: 'it is a link to this directory', exit: 2, reason: SAME, more: ({ winner }) => at(`${winner}.link`) },
  { name: 'it has this file by another name', exit: 2, reason: SAME, more: ({ winner }) => at(`${winner}.hard`) },
];

const STATUS = 'SYNCING=1\n# of a person\n';

function seen({ winner }: Split): unknown {
  return [listing(winner), readFileSync(statusOf(winner), 'utf8')];
}

async function assertAllRefused(sides: Split): Promise<void> {
  for (const { name, exit, reason, more, prepare } of REASONS) {
    const putBack = prepare?.(sides);
    const before = seen(sides);
    const result = await decide(sides, more?.(sides));
    assert.deepEqual([result.exitCode, result.promoted], [exit, false], `${name}: ${result.reason}`);
    assert.match(result.reason ?? '', reason, name);
    assert.deepEqual(seen(sides), before, name);
    putBack?.();
  }
  const before = seen(sides);
  await heldByOther({ slave: sides.winner }, ' PID\n', async () => {
    const { exitCode, reason } = await decide(sides);
    assert.equal(exitCode, 5, reason ?? '');
  });
  assert.deepEqual(seen(sides), before, 'another program has the lock');
}

describe('promote --supersede that is refused', () => {
  it('changes nothing: not the role, the .dat, the data or the switch; of a promoted side, a superseded one and a slave', () =>
    withPair(async (pair) => {
      const sides = await split(pair, 'slave');
      const paths = slavePaths(sides.winner, undefined);
      writeFileSync(statusOf(sides.winner), STATUS);
      symlinkSync(sides.winner, `${sides.winner}.link`);
      mkdirSync(`${sides.winner}.hard`);
      linkSync(dataOf(sides.winner), dataOf(`${sides.winner}.hard`));
      await assertAllRefused(sides);
      assert.match(roleTextOf(sides.winner), /^role master$/m);
      assert.equal(markSuperseded(paths, 5).kind, 'marked');
      await assertAllRefused(sides);
      demote(paths, factsOfRole(sides.winner), false);
      await assertAllRefused(sides);
      const run = await decide(sides);
      assert.deepEqual([run.promoted, run.term], [true, 6], 'the control');
    }));

  it('needs the other side', () =>
    withPair((pair) => {
      const alone = syncpozo(['promote', pair.master, '--supersede', '--status-file', pair.statusFile]);
      assert.equal(alone.exit, 2, alone.all);
      assert.match(alone.all, /--supersede needs the other side/);
    }));
});
