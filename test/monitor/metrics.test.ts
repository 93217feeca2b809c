import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { IoFault } from '../../src/io/fault.js';
import { writeFigures } from '../../src/monitor/textfile.js';
import { renderPrometheus } from '../../src/report/prometheus.js';
import { promtool } from '../support/monitor-tools.js';
import { aStanding, get, isoAgo, monitoredOf, served } from '../support/monitored.js';
import { withTempDir } from '../support/site.js';

const EVERYTHING = monitoredOf(
  {
    standing: {
      blobs: { directory: '/srv/blobs', problem: null, count: 3, bytes: 100, missing: 1, lastFullScrub: isoAgo(5) },
      since: isoAgo(10),
      keptAside: [{ path: '/srv/Data.fs.only-here-1', size: 5, written: isoAgo(50), ageSeconds: 50 }],
      lostFiles: [
        {
          path: '/srv/lost-1-2.fs',
          report: null,
          firstTid: '1',
          lastTid: '2',
          size: 5,
          written: isoAgo(50),
          ageSeconds: 50,
        },
      ],
    },
    figures: { faults: { 'out-of-reach': 3 }, rounds: { none: 5, refused: 2 }, runningSince: 5000, hungSince: 7000 },
  },
  { name: 'cata"log\\\n', standing: { slave: '/srv/"a"\\\n.fs', role: 'promoted' } },
  { name: 'broken', standing: new Error('stat /srv/broken.fs: input/output error (EIO)') },
);

describe('/metrics of a watch', () => {
  it('passes promtool check metrics', { skip: promtool.skip }, async (t) => {
    const { port } = await served(t, EVERYTHING);
    const { text, headers } = await get(port, '/metrics');
    assert.equal(headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8');
    assert.deepEqual(promtool.run(['check', 'metrics'], text), { status: 0, output: '' });
    const wrong = text.replaceAll('syncpozo_rounds_total', 'syncpozo_rounds_count');
    assert.notEqual(promtool.run(['check', 'metrics'], wrong).status, 0);
    assert.notEqual(promtool.run(['check', 'metrics'], text.replace('\\n', '\n')).status, 0);
  });

  it('has one HELP and one TYPE for several storages, and both labels on each of their samples', async (t) => {
    const { port } = await served(t, EVERYTHING);
    const lines = (await get(port, '/metrics')).text.trimEnd().split('\n');
    const helps = lines.filter((line) => line.startsWith('# HELP ')).map((line) => line.split(' ')[2]);
    assert.equal(new Set(helps).size, helps.length);
    const samples = lines.filter((line) => /^syncpozo_/.test(line));
    const general = samples.filter((line) => !/^\w+\{storage="[^"]/.test(line));
    assert.deepEqual(general.map((line) => line.split(/[{ ]/)[0]).sort(), [
      'syncpozo_build_info',
      'syncpozo_watch_interval_seconds',
    ]);
    assert.ok(samples.includes('syncpozo_rounds_total{storage="main",slave="/srv/zeo/var/Data.fs",action="none"} 5'));
    const strange = '{storage="cata\\"log\\\\\\n",slave="/srv/\\"a\\"\\\\\\n.fs"}';
    assert.ok(samples.includes(`syncpozo_lag_seconds${strange} 0`));
  });

  it('leaves out what is not known', async (t) => {
    const unknown = { last: undefined, inStepAsOf: undefined };
    const { port } = await served(t, monitoredOf({ standing: new Error('EIO'), figures: unknown }));
    const { text } = await get(port, '/metrics');
    assert.doesNotMatch(text, /NaN|null|undefined|in_step_as_of|last_round|_since_|syncpozo_state|lag_seconds/);
    assert.match(text, /^syncpozo_status_readable\{.*\} 0$/m);
    assert.match(text, /^syncpozo_copied_bytes_total\{.*\} 123456$/m);
  });

  it('has figures of the process that are true', async (t) => {
    const { port } = await served(t, EVERYTHING);
    const { text } = await get(port, '/metrics');
    const value = (name: string): number => Number(new RegExp(`^${name} (.*)$`, 'm').exec(text)?.[1]);
    assert.ok(Math.abs(value('process_resident_memory_bytes') / process.memoryUsage.rss() - 1) < 0.5);
    assert.ok(value('process_open_fds') > 5 && value('process_open_fds') < 1000);
    assert.ok(value('process_cpu_seconds_total') > 0.05);
    assert.equal(value('process_start_time_seconds'), EVERYTHING.startedAt / 1000);
  });
});

describe('the textfile', () => {
  it('passes promtool check metrics, that of status --prometheus does too', { skip: promtool.skip }, () =>
    withTempDir(async (directory) => {
      const path = join(directory, 'syncpozo.prom');
      await writeFigures(path, EVERYTHING);
      assert.deepEqual(promtool.run(['check', 'metrics'], readFileSync(path, 'utf8')), { status: 0, output: '' });
      const text = renderPrometheus(aStanding(), Date.now());
      assert.deepEqual(promtool.run(['check', 'metrics'], text), { status: 0, output: '' });
    }),
  );

  it('is replaced in one step, readable for all', () =>
    withTempDir(async (directory) => {
      const path = join(directory, 'syncpozo.prom');
      await writeFigures(path, EVERYTHING);
      const before = statSync(path);
      assert.equal(before.mode & 0o777, 0o644);
      await writeFigures(path, EVERYTHING);
      assert.notEqual(statSync(path).ino, before.ino);
      assert.deepEqual(readdirSync(directory), ['syncpozo.prom']);
      await assert.rejects(writeFigures(join(directory, 'no', 'x.prom'), EVERYTHING), IoFault);
    }));
});
