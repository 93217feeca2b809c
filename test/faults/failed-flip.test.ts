import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { type DiskOperation, observeDisk } from '../../src/io/observer.js';
import { assertEnd, syncpozo } from '../support/cli.js';
import { withPair } from '../support/pair.js';
import { datOf } from '../support/rot.js';
import { committed, SCENES, syncHere } from './scene.js';
import { injected, needsStrace, ONE_THREAD } from './strace.js';
import { parseTrace, pathOfDescriptor } from './trace.js';

const append = SCENES[0]!;
/** The syncs of a batch in order, the state that a server then finds, and the warning in the log. */
const SYNCS = [
  { name: 'of the header', shown: 'before', warning: /^an unfinished batch stays .* no server shows it/ },
  { name: 'of the body', shown: 'before', warning: /^an unfinished batch stays .* no server shows it/ },
  { name: 'of the flipped byte', shown: 'after', warning: /^the last batch is visible and may not be durable/ },
] as const;

describe('a failed fdatasync of a batch', { skip: needsStrace ?? false }, () => {
  SYNCS.forEach(({ name, shown, warning }, n) => {
    it(`${name}: the slave shows the state ${shown} it, the file is not changed any more, and the next run rewrites`, () =>
      withPair(async (pair) => {
        await append.prepare(pair);
        const before = committed(pair.slaveFile);
        const { claim } = datOf(pair);
        const log = join(pair.directory, 'trace');
        const injection = { call: 'fdatasync', path: pair.slaveFile, when: n + 1, what: 'error=EIO' };
        const calls = ['fdatasync', 'fsync', 'pwrite64', 'ftruncate'];
        const through = injected(injection, { log, calls });
        const run = syncpozo(pair.syncArgs(...append.args), { through, env: ONE_THREAD });
        assertEnd(run, { exit: 1, action: 'failed', reason: /^fdatasync .*Data\.fs: .*\(EIO\)$/, hint: /disk/ });
        const warnings = run.records.filter(({ level }) => level === 'warn').map(({ msg }) => msg);
        assert.equal(warnings.length, 1, run.all);
        assert.match(warnings[0] ?? '', warning);
        const made = parseTrace(readFileSync(log, 'utf8')).filter((call) => pathOfDescriptor(call) === pair.slaveFile);
        assert.equal(made.at(-1)?.injected, true, 'the failed sync is the last call that changes the file');
        const master = committed(pair.masterFile);
        assert.ok(committed(pair.slaveFile).equals(shown === 'before' ? before : master));
        assert.deepEqual(datOf(pair).claim, claim, 'the claim has not moved');

        const written: DiskOperation[] = [];
        observeDisk((operation) => void written.push(operation));
        const next = await syncHere(pair).finally(() => observeDisk(undefined));
        assert.deepEqual([next.exitCode, next.reason], [0, 'an unfinished batch was found and is written again']);
        const again = written.flatMap((each) =>
          each.kind === 'write' && each.path === pair.slaveFile ? [each.position] : [],
        );
        assert.equal(again[0], claim.position, 'all of it is written again');
        assert.equal(next.copied.bytes, master.length - claim.position);
        pair.assertInStep();
        pair.assertNothingNew();
      }));
  });
});
