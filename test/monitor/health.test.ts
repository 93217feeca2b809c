import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CHECKS } from '../../src/monitor/judgement.js';
import { get, monitoredOf, served } from '../support/monitored.js';

async function statusesOf(port: number, suffix = ''): Promise<Record<string, number>> {
  const found: Record<string, number> = {};
  for (const check of CHECKS) found[check] = (await get(port, `/${check}${suffix}`)).status;
  return found;
}

describe('the health checks', () => {
  it('are 200 only if they hold for every storage, or for the one that is asked about', async (t) => {
    const promoted = { role: 'promoted', state: 'promoted' } as const;
    const { port } = await served(t, monitoredOf({}, { name: 'other', standing: promoted }));
    const all = { liveness: 200, readiness: 200, promotable: 503, slave: 503, master: 503 };
    assert.deepEqual(await statusesOf(port), all);
    assert.deepEqual(await statusesOf(port, '?storage=main'), { ...all, promotable: 200, slave: 200 });
    assert.deepEqual(await statusesOf(port, '?storage=other'), { ...all, master: 200 });
    for (const name of ['nobody', '', '__proto__', 'constructor'])
      assert.equal((await get(port, `/master?storage=${name}`)).status, 404, name);
  });

  it('have the same body everywhere', async (t) => {
    const { port } = await served(t, monitoredOf({}, { name: '__proto__', standing: new Error('EIO') }));
    for (const check of CHECKS) {
      const { text } = await get(port, `/${check}`);
      const body = JSON.parse(text);
      assert.deepEqual(Object.keys(body), ['check', 'ok', 'time', 'version', 'host', 'storages']);
      assert.equal(body.check, check);
      assert.deepEqual(Object.keys(body.storages), ['main', '__proto__']);
      for (const storage of Object.values<object>(body.storages)) {
        const fields = ['ok', 'why', 'role', 'state', 'term', 'inStepAsOf', 'inStepAgeSeconds', 'since', 'reason'];
        assert.deepEqual(Object.keys(storage), fields);
      }
      assert.equal(body.storages.main.inStepAgeSeconds >= 0.9, true);
    }
  });

  it('refuse a parameter that they would have to ignore', async (t) => {
    const { port } = await served(t, monitoredOf());
    const wrong = [
      '/slave?lag=',
      '/slave?lag=-1',
      '/slave?lag=1e3',
      '/slave?lag=60s',
      '/slave?lag=60&lag=1',
      '/slave?lagg=60',
      '/slave?max-age=60',
      '/promotable?max-age=NaN',
      '/promotable?lag=1',
      '/master?lag=60',
      '/master?storage=main&storage=main',
    ];
    for (const path of wrong) {
      const { status, text } = await get(port, path);
      assert.equal(status, 400, path);
      assert.equal(typeof JSON.parse(text).error, 'string');
    }
    for (const path of ['/slave?lag=0.5', '/slave?lag=60&storage=main', '/promotable?max-age=1'])
      assert.notEqual((await get(port, path)).status, 400, path);
  });

  it('prove a lag by the last moment in step', async (t) => {
    const { port } = await served(t, monitoredOf({ figures: { inStepAsOf: Date.now() - 30_000 } }));
    assert.equal((await get(port, '/slave')).status, 200);
    assert.equal((await get(port, '/slave?lag=29')).status, 503);
    assert.equal((await get(port, '/promotable?max-age=29')).status, 503);
    assert.equal((await get(port, '/promotable?max-age=60')).status, 200);
  });

  it('do not believe a moment that lies in the future', async (t) => {
    const { port } = await served(t, monitoredOf({ figures: { inStepAsOf: Date.now() + 3_600_000 } }));
    const { status, text } = await get(port, '/slave');
    assert.equal(status, 503);
    assert.equal(JSON.parse(text).storages.main.inStepAgeSeconds, null);
  });
});
