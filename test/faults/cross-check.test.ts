import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Case } from '../crash/case.js';
import type { Change } from '../crash/change.js';
import { enumerate } from '../crash/enumerate.js';
import { DATA } from '../crash/history.js';
import { Judge } from '../crash/judge.js';
import { fastDirectory } from '../crash/materialise.js';
import type { Disk } from '../crash/model-disk.js';
import { Identities, readDisk, record } from '../crash/record.js';
import { badKinds } from '../crash/report.js';
import { syncpozo } from '../support/cli.js';
import { type Pair, withPair } from '../support/pair.js';
import { CHANGING, changesIn, opensToRead, pathsChanged } from './changes.js';
import { committed, SCENES, type Scene, syncHere } from './scene.js';
import { needsStrace, ONE_THREAD, traced } from './strace.js';
import { type Call, parseTrace } from './trace.js';

const WHOLE = 8 << 20;
const REPLAYED = ['append', 'first copy', 'rebuild after a pack', 'full over own transactions', 'an unfinished batch'];

/** Runs a scene under strace, and returns all its changes of any file system. */
async function traceOf(scene: Scene, use: (pair: Pair, calls: Call[], start: Start) => Promise<void>): Promise<void> {
  await withPair(async (pair) => {
    await scene.prepare(pair);
    const identities = new Identities();
    const disk = readDisk(pair.slave, identities);
    const shown = disk.names.has(DATA) ? committed(pair.slaveFile) : undefined;
    const log = join(pair.directory, 'trace');
    const through = [...traced({ log, calls: CHANGING, stringLength: WHOLE }), '--seccomp-bpf'];
    const run = syncpozo(pair.syncArgs(...scene.args), { through, env: ONE_THREAD });
    assert.equal(run.exit, 0, run.all);
    const calls = parseTrace(readFileSync(log, 'latin1'));
    await use(pair, calls, { disk, identities, shown });
  });
}

interface Start {
  readonly disk: Disk;
  readonly identities: Identities;
  readonly shown: Buffer | undefined;
}

/** The operations that the disk's observer receives for the same scene, played in this process. */
async function observedOf(scene: Scene): Promise<readonly Change[]> {
  let changes: readonly Change[] = [];
  await withPair(async (pair) => {
    await scene.prepare(pair);
    const identities = new Identities();
    const { names } = readDisk(pair.slave, identities);
    const full = scene.args.includes('--full');
    changes = (await record(pair.slave, names, identities, () => syncHere(pair, full))).changes;
  });
  return changes;
}

/** A change without what differs from run to run: inodes, and the times in the `.dat`. */
function shapeOf(change: Change): string {
  const { site: _, within: __, lost: ___, ...compared } = change;
  const isDat = 'bytes' in compared && Buffer.from(compared.bytes).toString('latin1').startsWith('syncpozo ');
  const bytes = 'bytes' in compared ? { bytes: isDat ? 'a .dat' : Buffer.from(compared.bytes).toString('latin1') } : {};
  return JSON.stringify({ ...compared, ...bytes });
}

function caseOf(scene: Scene, pair: Pair, { disk, identities, shown }: Start, calls: readonly Call[]): Case {
  const master = committed(pair.masterFile);
  return {
    name: `${scene.name}, as strace saw it`,
    start: disk,
    changes: changesIn(pair.slave, calls, disk.names, identities),
    from: 0,
    master: pair.masterFile,
    generations: shown && !scene.keepsOwn ? [shown, master] : [master],
    shown,
    claimBroken: false,
    scrub: 0,
    neverRebuild: scene.name === 'append',
    kept: scene.keepsOwn ? disk.images.get(disk.names.get(DATA) ?? -1) : undefined,
    needsForce: scene.keepsOwn ?? false,
    staysRefused: 'no',
    terms: [],
    movesAside: false,
    repairs: false,
    reportsRepairs: false,
    packedFiles: 0,
  };
}

describe('the real program, traced by strace,', { skip: needsStrace ?? false }, () => {
  let judge: Judge;
  before(() => {
    judge = new Judge(mkdtempSync(join(fastDirectory(), 'syncpozo-cross-check-')));
  });
  after(() => judge.close());

  for (const scene of SCENES) {
    it(`opens the master read-only and writes beside the slave only: ${scene.name}`, () =>
      traceOf(scene, async (pair, calls) => {
        const opened = calls.filter((call) => opensToRead(call, pair.masterFile));
        assert.ok(opened.length > 0, 'it was seen to open the master');
        for (const call of calls) {
          for (const path of pathsChanged(call)) {
            assert.ok(path === pair.slave || path.startsWith(`${pair.slave}/`), `${call.name}(${call.args})`);
          }
        }
      }));
  }

  for (const scene of SCENES.filter(({ name }) => REPLAYED.includes(name))) {
    it(`makes exactly the calls that the disk's observer receives: ${scene.name}`, () =>
      traceOf(scene, async (pair, calls, start) => {
        const seen = changesIn(pair.slave, calls, start.disk.names, start.identities);
        assert.deepEqual(seen.map(shapeOf), (await observedOf(scene)).map(shapeOf));
      }));

    it(`leaves no bad state after a crash: ${scene.name}`, (t) =>
      traceOf(scene, async (pair, calls, start) => {
        const judged = new Set<string>();
        const { points, bad } = await enumerate(caseOf(scene, pair, start, calls), judge, { judged });
        t.diagnostic(`${points} crash points, ${judged.size} states`);
        assert.equal(bad.length, 0, badKinds(bad));
      }));
  }
});
