import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import type { DiskOperation } from '../../src/io/observer.js';
import { ReadDeadline } from '../../src/pipeline/read-deadline.js';
import type { LogRecord } from '../support/cli.js';
import { operationsDuring } from '../support/disk-operations.js';
import { type Pair, withPair } from '../support/pair.js';
import { datOf, flipBits, manyChunks, syncAndScrub } from '../support/rot.js';

const scrubFile = (pair: Pair): string => `${pair.slaveFile}.scrub`;
const nextOf = (pair: Pair): string | undefined => /^next (\d+)$/m.exec(readFileSync(scrubFile(pair), 'utf8'))?.[1];
const fullOf = (pair: Pair): string | undefined => /^full (\S+)$/m.exec(readFileSync(scrubFile(pair), 'utf8'))?.[1];

/** A log that keeps its messages. */
function keeper() {
  const kept: LogRecord[] = [];
  const at = (level: string) => (fields: object, msg: string) => void kept.push({ level, msg, ...fields });
  return { kept, log: { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') } };
}

async function writesDuring(run: () => Promise<unknown>): Promise<DiskOperation[]> {
  const operations = await operationsDuring(run);
  return operations.filter((operation) => !('path' in operation && operation.path.endsWith('.lock')));
}

describe('a scrub reads the slave', () => {
  it('slice by slice, and records when a round is complete', () =>
    withPair(async (pair) => {
      await manyChunks(pair);
      const size = statSync(pair.slaveFile).size;
      let read = 4;
      while (read < size) {
        const result = await syncAndScrub(pair, 100_000);
        assert.deepEqual([result.exitCode, result.action], [0, 'none'], result.reason);
        assert.deepEqual(result.scrubbed, { bytes: Math.min(100_000, size - read), bad: 0 });
        read += result.scrubbed.bytes;
        assert.equal(nextOf(pair), String(read < size ? read : 4));
        assert.equal(fullOf(pair) !== 'never', read === size);
      }
      assert.ok(Math.abs(Date.parse(fullOf(pair) ?? '') - Date.now()) < 60_000);
      await syncAndScrub(pair, 100_000);
      assert.equal(nextOf(pair), '100004');
      assert.notEqual(fullOf(pair), 'never');
    }));

  it('all at once on request', () =>
    withPair(async (pair) => {
      await manyChunks(pair);
      const { scrubbed } = await syncAndScrub(pair, 'full');
      assert.deepEqual(scrubbed, { bytes: statSync(pair.slaveFile).size - 4, bad: 0 });
      assert.notEqual(fullOf(pair), 'never');
    }));

  it('after an append as well, and not at all after a first copy or when it is off', () =>
    withPair(async (pair) => {
      assert.equal((await syncAndScrub(pair, 'full')).scrubbed.bytes, 0);
      pair.commit('more');
      const { action, scrubbed } = await syncAndScrub(pair, 'full');
      assert.deepEqual([action, scrubbed.bytes], ['append', statSync(pair.slaveFile).size - 4]);
      rmSync(scrubFile(pair));
      const operations = await writesDuring(() => syncAndScrub(pair, 0));
      assert.deepEqual(
        operations.filter(({ kind }) => kind === 'sync' || kind === 'sync-directory'),
        [],
      );
      for (const operation of operations)
        assert.match('path' in operation ? operation.path : operation.to, /\/Data\.fs\.outcome(\.tmp)?$/);
      assert.equal(existsSync(scrubFile(pair)), false);
    }));

  it('writing its own file only, after a sync of the slave', () =>
    withPair(async (pair) => {
      await manyChunks(pair);
      const operations = await writesDuring(() => syncAndScrub(pair, 100_000));
      const [first, ...rest] = operations;
      assert.deepEqual([first?.kind, first && 'path' in first && first.path], ['sync', pair.slaveFile]);
      for (const operation of rest) {
        const path = 'path' in operation ? operation.path : operation.to;
        assert.match(path, /\/Data\.fs\.(scrub|outcome)(\.tmp)?$/);
        assert.ok(operation.kind !== 'sync' && operation.kind !== 'sync-directory');
      }
      assert.ok(rest.length > 0);
    }));

  it('from the start when its file is missing or another slave’s', () =>
    withPair(async (pair) => {
      await manyChunks(pair);
      await syncAndScrub(pair, 100_000);
      const good = readFileSync(scrubFile(pair), 'utf8');
      const inode = statSync(pair.slaveFile).ino;
      const bad = [
        '',
        good.slice(0, -1),
        `${good}\n`,
        good.replace('100004', '99999999999999999999'),
        good.replace('100004', '3'),
        good.replace('never', '2026-13-01T00:00:00.000Z'),
        good.replace(String(inode), String(inode + 1)),
        good.replace('scrub 1', 'scrub 2'),
        '\0'.repeat(good.length),
        'x'.repeat(10_000),
      ];
      for (const text of bad) {
        writeFileSync(scrubFile(pair), text);
        assert.equal((await syncAndScrub(pair, 50_000)).exitCode, 0);
        assert.equal(nextOf(pair), '50004', JSON.stringify(text.slice(0, 100)));
      }
      // Progress beyond the end: the slave may have been truncated since.
      writeFileSync(scrubFile(pair), good.replace('100004', '99999999'));
      await syncAndScrub(pair, 50_000);
      assert.equal(nextOf(pair), '50004');
    }));

  it('even if its progress cannot be recorded, with a warning', () =>
    withPair(async (pair) => {
      await manyChunks(pair);
      mkdirSync(scrubFile(pair));
      const { kept, log } = keeper();
      const { exitCode, scrubbed } = await syncAndScrub(pair, 100_000, { log });
      assert.deepEqual([exitCode, scrubbed.bytes], [0, 100_000]);
      const warnings = kept.filter(({ level }) => level === 'warn').map(({ msg }) => msg);
      assert.equal(warnings.length, 1);
      assert.match(warnings[0] ?? '', /how far the scrub has come could not be noted: rename/);
    }));

  it('until a signal comes', () =>
    withPair(async (pair) => {
      await manyChunks(pair);
      const stop = new AbortController();
      const { log } = keeper();
      const deadline = new ReadDeadline(30, stop.signal);
      const run = syncAndScrub(pair, 'full', {
        deadline,
        log: { ...log, info: (_fields, msg) => msg === 'Start syncing' && stop.abort() },
      });
      assert.deepEqual([(await run).exitCode, (await run).reason], [1, 'interrupted by a signal']);
      assert.equal(existsSync(scrubFile(pair)), false);
    }));
});

describe('a scrub that finds', () => {
  it('wrong bytes on the slave repairs only the blocks that contain them', () =>
    withPair(async (pair) => {
      await manyChunks(pair);
      const chunk = datOf(pair).chunks[4]!;
      flipBits(pair.slaveFile, [chunk.start + 100, chunk.end - 1]);
      const { kept, log } = keeper();
      const operations = await writesDuring(async () => {
        const result = await syncAndScrub(pair, 'full', { log });
        assert.deepEqual([result.exitCode, result.action, result.scrubbed.bad], [0, 'none', 1], result.reason);
      });
      pair.assertInStep();
      const onSlave = operations.filter((each) => 'path' in each && each.path === pair.slaveFile);
      assert.deepEqual(
        onSlave.map((each) => each.kind),
        ['write', 'write', 'sync'],
      );
      for (const each of onSlave) if (each.kind === 'write') assert.ok(each.bytes.length <= 4096);
      const [removed, warning] = kept.filter(({ level }) => level === 'warn');
      assert.match(removed?.msg ?? '', /the index is removed, because it covers bytes of the slave that are repaired/);
      assert.match(warning?.msg ?? '', /bytes of the slave were not those that had been copied, and are repaired/);
      assert.deepEqual(
        [warning?.['from'], warning?.['to'], warning?.['at']],
        [chunk.start, chunk.end, chunk.start + 100],
      );
      assert.equal((await syncAndScrub(pair, 'full')).scrubbed.bad, 0);
    }));

  it('them in a slice that includes part of their chunk', () =>
    withPair(async (pair) => {
      await manyChunks(pair);
      const at = datOf(pair).chunks[4]!.start + 5000;
      flipBits(pair.slaveFile, [at]);
      let bad = 0;
      for (let round = 0; fullOfOrNever(pair) === 'never'; round++) {
        assert.ok(round < 100);
        const result = await syncAndScrub(pair, 50_000);
        assert.equal(result.exitCode, 0, result.reason);
        bad += result.scrubbed.bad;
      }
      assert.equal(bad, 1);
      pair.assertInStep();
    }));

  it('wrong bytes on the master reports them every time, and leaves the slave alone', () =>
    withPair(async (pair) => {
      await manyChunks(pair);
      const good = readFileSync(pair.slaveFile);
      const chunks = [datOf(pair).chunks[4]!, datOf(pair).chunks[6]!];
      flipBits(
        pair.masterFile,
        chunks.map(({ start }) => start + 12_000),
      );
      for (let run = 1; run <= 2; run++) {
        const { kept, log } = keeper();
        const result = await syncAndScrub(pair, 'full', { log });
        assert.deepEqual([result.exitCode, result.action, result.scrubbed.bad], [4, 'failed', 2], result.reason);
        assert.match(result.reason, /^the master is damaged at position \d+: its bytes \d+ to \d+ are not those that/);
        assert.match(result.reason, /; 2 such pieces were found$/);
        assert.match(result.hint ?? '', /keep it.*fstest/);
        const [first] = chunks;
        assert.deepEqual([result.damage?.rule, result.damage?.at], ['hash', first!.start + 12_000]);
        assert.ok((result.damage?.position ?? 0) > first!.start && result.damage!.position <= first!.start + 12_000);
        assert.deepEqual(
          kept.filter(({ level }) => level === 'error').map(({ msg }) => msg),
          [result.reason],
        );
        assert.ok(readFileSync(pair.slaveFile).equals(good));
      }
    }));

  it('different wrong bytes on both sides reports the slave too', () =>
    withPair(async (pair) => {
      await manyChunks(pair);
      const { start } = datOf(pair).chunks[4]!;
      flipBits(pair.masterFile, [start + 3000]);
      flipBits(pair.slaveFile, [start + 7000]);
      const before = readFileSync(pair.slaveFile);
      const { exitCode, reason } = await syncAndScrub(pair, 'full');
      assert.equal(exitCode, 4);
      assert.match(reason, new RegExp(`differ from the slave's at ${start + 3000}, and those are wrong as well`));
      assert.ok(readFileSync(pair.slaveFile).equals(before));
    }));

  it('the same wrong bytes on both sides detects them by the recorded hash', () =>
    withPair(async (pair) => {
      await manyChunks(pair);
      const { start } = datOf(pair).chunks[4]!;
      for (const path of [pair.masterFile, pair.slaveFile]) flipBits(path, [start + 3000]);
      const { exitCode, reason } = await syncAndScrub(pair, 'full');
      assert.equal(exitCode, 4);
      assert.match(reason, /not those that were copied, and the slave has the same ones$/);
    }));
});

function fullOfOrNever(pair: Pair): string {
  return existsSync(scrubFile(pair)) ? (fullOf(pair) ?? '') : 'never';
}
