import assert from 'node:assert/strict';
import { copyFileSync, cpSync, existsSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { rejoinOptionsOf } from '../../src/commands/demo.js';
import { runPromote } from '../../src/commands/promote.js';
import { type DemoReport, playDemo } from '../../src/demo/play.js';
import type { Promote, Rejoin, Sync } from '../../src/demo/stage.js';
import { runRejoin } from '../../src/rejoin/rejoin.js';
import { runSync } from '../../src/round/run-sync.js';

/** Runs cp and reports success: the demo must detect it. */
const copyAll: Sync = async ({ master, slave, blobs }) => {
  cpSync(blobs.master, blobs.slave, { recursive: true });
  copyFileSync(join(master, 'Data.fs'), join(slave, 'Data.fs'));
  const bytes = statSync(join(slave, 'Data.fs')).size;
  return { action: 'full', reason: 'copied', exitCode: 0, copied: { bytes, transactions: 45 }, seconds: 0 };
};

/** The same for the way back. */
const copyBack: Rejoin = async ({ master, slave, statusFile, blobs }) => ({
  ...(await copyAll({ master, slave, statusFile, blobs, full: true })),
  action: 'rewind',
  lost: null,
});

const promote: Promote = (round) => runPromote({ ...round, file: 'Data.fs', graceSeconds: 1, verify: false });
const rejoin: Rejoin = (round) => runRejoin(rejoinOptionsOf(round));

describe('playDemo', () => {
  it('finds the expected result in every step with the real sync, and removes its directory', async () => {
    const lines: string[] = [];
    const report = await playDemo({
      commands: { sync: runSync, promote, rejoin },
      print: (line) => lines.push(line),
      keep: false,
    });
    const wrong = report.steps.flatMap(({ checks }) => checks).filter(({ ok }) => !ok);
    assert.deepEqual(wrong, []);
    assert.equal(report.ok, true);
    assert.equal(report.steps.length, 16);
    const directory = /Everything happens in (\S+)/.exec(lines[0] ?? '')?.[1];
    assert.ok(directory && !existsSync(directory));
  });

  it('detects in each step that a plain copy is no sync', async () => {
    const play = (): Promise<DemoReport> =>
      playDemo({ commands: { sync: copyAll, promote, rejoin: copyBack }, print: () => {}, keep: false });
    let report = await play();
    // A copy that was torn in the middle of a write may throw, and end the demo.
    for (let more = 0; more < 5 && report.steps.length < 16; more++) report = await play();
    assert.equal(report.ok, false);
    const steps = report.steps.map(({ title, ok }) => [ok, title] as const);
    const passed = steps.filter(([ok]) => ok).map(([, title]) => title);
    assert.deepEqual(
      passed,
      [
        'A site: a Data.fs with some transactions in it, and blobs',
        'The first sync copies all of it',
        'The slave serves: a site opens it and goes on',
        // Nobody writes then, so a copy does as well.
        'A planned switchover changes the roles back, and loses nothing',
      ].map((title) => report.steps.find((step) => step.title.endsWith(title))?.title),
    );
  });

  it('ends at a step that throws, and keeps the directory on request', async () => {
    const failing: Sync = () => Promise.reject(new Error('no disk'));
    const report = await playDemo({ commands: { sync: failing, promote, rejoin }, print: () => {}, keep: true });
    assert.equal(report.ok, false);
    assert.equal(report.steps.length, 2);
    assert.match(JSON.stringify(report.steps[1]), /no disk/);
    assert.ok(report.directory !== null && existsSync(report.directory));
    rmSync(report.directory, { recursive: true });
  });
});
