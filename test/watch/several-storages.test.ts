import assert from 'node:assert/strict';
import { readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Run, Running } from '../support/cli.js';
import { type Configured, withConfigured } from '../support/configured.js';
import { eventually } from '../support/eventually.js';
import { needsFuse, withMountOf } from '../support/hanging-mount.js';
import { breakRule, commitWithUndo } from '../support/json-damage.js';
import type { Pair } from '../support/pair.js';
import { Asked } from './asking.js';
import { isInStep, untilInStep, watching } from './watching.js';

const NAMES = ['damaged', 'away', 'third'];
const ARGS = ['--interval', '200ms', '--listen', '127.0.0.1:0', '--timeout', '1'];

/** A watch of all storages of a configuration, which is asked over HTTP. */
function asking(configured: Configured, use: (asked: Asked, watch: Running) => Promise<void>): Promise<Run> {
  const args = ['watch', '--config', configured.path, ...ARGS];
  const [pair] = configured.pairs.values();
  return watching(pair!, async (watch) => use(await Asked.of(watch), watch), { args });
}

async function follows(pair: Pair, text: string): Promise<void> {
  pair.commit(text);
  await untilInStep(pair);
}

describe('a watch of three storages, one with a damaged master, and one whose master is out of reach', () => {
  it('keeps the third in step, says which is which, and all are in step again once both are repaired', () =>
    withConfigured(NAMES, async (configured) => {
      const [damaged, away, third] = NAMES.map((name) => configured.pair(name)) as [Pair, Pair, Pair];
      assert.equal(configured.run('sync').exit, 0);
      commitWithUndo(damaged);
      const good = readFileSync(damaged.masterFile);
      breakRule(damaged.masterFile, 'record-tloc');
      away.site.close();
      renameSync(away.master, `${away.master}.gone`);

      const run = await asking(configured, async (asked) => {
        await follows(third, 'the third goes on');
        await asked.until('/slave?storage=third', 200);
        await asked.untilTrue('all have ended a round', async () => {
          const { storages } = await asked.json('/status.json');
          return NAMES.every((name) => storages[name].figures.last !== null);
        });
        for (const [path, status] of [
          ['/liveness', 200],
          ['/readiness', 503],
          ['/readiness?storage=third', 200],
          ['/slave', 503],
          ['/slave?storage=damaged', 503],
          ['/promotable?storage=third', 200],
          ['/promotable?storage=damaged', 503],
          // What promotions are for.
          ['/promotable?storage=away', 200],
          ['/master', 503],
        ] as const)
          assert.equal(await asked.statusOf(path), status, path);

        const { storages, exitCode } = await asked.json('/status.json');
        assert.deepEqual(
          NAMES.map((name) => storages[name].state),
          ['damaged', 'out-of-reach', 'in-step'],
        );
        assert.equal(exitCode, 4);
        const { last } = storages.damaged.figures;
        assert.deepEqual([last.exitCode, last.action], [4, 'failed']);
        assert.match(last.reason, /damaged at position \d+: /);
        assert.match(last.hint, /./);
        assert.match(storages.damaged.stateReason, /position \d+/);
        assert.equal(storages.away.figures.last.exitCode, 1);
        assert.match(storages.away.stateReason, new RegExp(`${away.master}`));

        const codes = NAMES.map((name) => asked.metric('syncpozo_last_round_exit_code', name));
        assert.deepEqual(await Promise.all(codes), [4, 1, 0]);
        const states = ['damaged', 'out-of-reach', 'in-step'];
        for (const [at, state] of states.entries())
          assert.equal(await asked.metric('syncpozo_state', NAMES[at] ?? '', `state="${state}"`), 1, state);
        assert.ok(((await asked.metric('syncpozo_faults_total', 'damaged', 'kind="damaged"')) ?? 0) > 0);
        assert.ok(((await asked.metric('syncpozo_faults_total', 'away', 'kind="out-of-reach"')) ?? 0) > 0);
        assert.equal(await asked.metric('syncpozo_faults_total', 'third'), undefined);

        writeFileSync(damaged.masterFile, good);
        renameSync(`${away.master}.gone`, away.master);
        await asked.until('/readiness', 200);
        await asked.until('/slave', 200);
        for (const pair of [damaged, away, third]) assert.ok(isInStep(pair));
        await asked.untilTrue('no fault is left', async () => (await asked.json('/status.json')).exitCode === 0);
        await follows(third, 'and on');
      });

      const errors = run.records.filter(({ level }) => level === 'error');
      assert.deepEqual(errors.map(({ storage }) => storage).sort(), ['away', 'damaged'], run.all);
      for (const { hint } of errors) assert.equal(typeof hint, 'string', run.all);
      const again = run.records.filter(({ event }) => event === 'in-step').map(({ storage }) => storage);
      assert.deepEqual(again, ['damaged'], 'an absence of seconds is no event');
    }));
});

describe('a watch of two storages, one of whose masters hangs', { skip: needsFuse ?? false }, () => {
  it('goes on with the other, stays alive, and says since when', () =>
    withConfigured(['hanging', 'third'], async (configured) => {
      const [hanging, third] = [configured.pair('hanging'), configured.pair('third')];
      await withMountOf(hanging, async (mount) => {
        configured.write({}, [], { hanging: mount.point });
        const run = await asking(configured, async (asked) => {
          await untilInStep(hanging);
          await asked.until('/readiness', 200);
          mount.hangBeyond(0);
          const before = Date.now();
          hanging.commit('while it hangs');
          await asked.until('/readiness', 503);
          for (let n = 0; n < 5; n++) {
            await follows(third, `meanwhile ${n}`);
            assert.equal(await asked.statusOf('/liveness'), 200);
          }
          assert.equal(await asked.statusOf('/slave?storage=third&lag=20'), 200);
          // An answer may be a second old.
          const isShown = async () => (await asked.json('/status.json')).storages.hanging.state === 'out-of-reach';
          await asked.untilTrue('the page shows it', isShown);
          const { storages } = await asked.json('/status.json');
          const { hungSince, hungReads } = storages.hanging.figures;
          assert.ok(Math.abs(Date.parse(hungSince) - before) < 10_000, hungSince);
          assert.ok(hungReads > 0);
          assert.equal(storages.hanging.state, 'out-of-reach');
          assert.match(storages.hanging.stateReason, /has not answered since/);
          const other = storages.third.figures;
          assert.deepEqual([other.hungSince, other.hungReads], [null, 0]);
          assert.equal(await asked.metric('syncpozo_hung_since_time_seconds', 'third'), undefined);
          const since = await asked.metric('syncpozo_hung_since_time_seconds', 'hanging');
          assert.equal(since, Date.parse(hungSince) / 1000);
          assert.equal(isInStep(hanging), false);
          mount.answer();
          await asked.until('/readiness', 200);
          await untilInStep(hanging);
          const hasEnded = async () => (await asked.json('/status.json')).storages.hanging.figures.hungSince === null;
          await asked.untilTrue('the page shows the end', hasEnded);
          const left = async () => (await asked.json('/status.json')).storages.hanging.figures.hungReads;
          await asked.untilTrue('nothing is left behind', async () => (await left()) === 0);
        });
        const errors = run.records.filter(({ level }) => level === 'error');
        assert.deepEqual([...new Set(errors.map(({ storage }) => storage))], ['hanging'], run.all);
      });
    }));
});

describe('a watch whose master answers a probe of its mount, while its reads hang', {
  skip: needsFuse ?? false,
}, () => {
  it('does not take it for one in step: no heartbeat, and not ready', (t) =>
    withConfigured(['hanging', 'third'], async (configured) => {
      const [hanging, third] = [configured.pair('hanging'), configured.pair('third')];
      let beats = 0;
      const server = createServer((_, response) => {
        beats++;
        response.end();
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      t.after(() => server.close());
      const { port } = server.address() as AddressInfo;
      await withMountOf(hanging, async (mount) => {
        configured.write({}, [`watch: { heartbeat: "http://127.0.0.1:${port}/" }`], { hanging: mount.point });
        await asking(configured, async (asked, watch) => {
          await asked.until('/readiness', 200);
          await eventually('the heartbeat', () => beats > 0);
          // The probe reads the beginning only.
          mount.hangBeyond(readFileSync(hanging.slaveFile).length);
          hanging.commit('while it hangs');
          await asked.until('/readiness', 503);
          await follows(third, 'meanwhile');
          const before = beats;
          const seems = (): number => watch.soFar.records.filter(({ msg }) => /answers again/.test(msg)).length;
          while (seems() < 2) {
            assert.equal(await asked.statusOf('/readiness'), 503);
            await sleep(100);
          }
          assert.equal(beats, before);
          mount.answer();
          await asked.until('/readiness', 200);
        });
      });
    }));
});

describe('a watch with a configuration that has four mistakes', () => {
  it('prints four lines and ends with 2, and nothing is synced', () =>
    withConfigured(['main', 'other'], (configured) => {
      const lines = readFileSync(configured.path, 'utf8').split('\n');
      lines.splice(2, 1, '    mastr: /mnt/Data.fs');
      lines.push('watch:', '  interval: soon', '  listen: nowhere', 'hooks: { loss: [page] }', '');
      writeFileSync(configured.path, lines.join('\n'));
      const run = configured.run('watch', ...ARGS);
      assert.deepEqual([run.exit, run.stdout], [2, ''], run.all);
      const reported = run.stderr.split('\n').filter((line) => line.includes(`${configured.path}:`));
      assert.deepEqual(
        reported.map((line) => /:(\d+): /.exec(line)?.[1]),
        ['3', '11', '12', '13'],
        run.all,
      );
      for (const { slave } of configured.pairs.values()) assert.deepEqual(readdirSync(slave), []);
    }));
});

describe('a watch of twenty storages', () => {
  it('follows all of them, and has nothing to warn of', () => {
    const names = Array.from({ length: 20 }, (_, at) => `number-${at}`);
    return withConfigured(names, async (configured) => {
      const run = await asking(configured, async (asked) => {
        await asked.until('/readiness', 200);
        for (const name of names) configured.pair(name).commit('at once');
        for (const name of names) await untilInStep(configured.pair(name));
      });
      assert.deepEqual(
        run.records.filter(({ level }) => level !== 'info'),
        [],
      );
    });
  });
});
