import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it, type TestContext } from 'node:test';
import { CHECKS } from '../../src/monitor/judgement.js';
import { everything, namesIn } from '../support/everything.js';
import { type Contract, parseContract, Sightings } from '../support/json-contract.js';
import { aStorage, get, isoAgo, monitoredOf, type StorageChanges, served } from '../support/monitored.js';
import { inProject } from '../support/root.js';

const SECTIONS = parseContract(readFileSync(inProject('docs', 'json.md'), 'utf8'));

function fieldsOf(heading: string): Contract {
  const section = SECTIONS.get(heading);
  assert.ok(section, `docs/json.md has no section ${heading}`);
  return section.fields;
}

const EVENT = { name: 'fork', time: isoAgo(5), slave: '/srv/Data.fs', message: 'forked', facts: {} } as const;
/** The fields of an object whose names are those of storages, actions and the like are not in the contract. */
const PLAIN = { rounds: {}, faults: {}, phaseSeconds: {} };
const LAST = { beganAt: 1000, endedAt: 2000, action: 'none', reason: 'nothing new', hint: null };

/** Together they show every field with every type. */
const SCENES: readonly StorageChanges[] = [
  {
    figures: {
      ...PLAIN,
      runningSince: 1000,
      hungSince: 2000,
      hungReads: 1,
      last: { ...LAST, exitCode: 1, hint: 'wait' },
    },
    lagHistory: [
      { time: 60_000, seconds: null },
      { time: 120_000, seconds: 1.5 },
    ],
    events: [
      { ...EVENT, storage: null },
      { ...EVENT, storage: 'main' },
    ],
  },
  { standing: new Error('EIO'), figures: { ...PLAIN, last: undefined, inStepAsOf: undefined } },
  { standing: { since: isoAgo(9), stateReason: 'forked', state: 'forked' }, figures: PLAIN },
  { standing: { role: 'unreadable', term: null }, figures: PLAIN },
  ...[0, 2, 3, 4, 5].map((exitCode) => ({ figures: { ...PLAIN, last: { ...LAST, exitCode } } })),
];

async function jsonOf(t: TestContext, scene: StorageChanges, path: string) {
  const { port } = await served(t, monitoredOf(scene));
  return JSON.parse((await get(port, path)).text);
}

describe('docs/json.md is what a watch serves, and all of it:', () => {
  it('/status.json', async (t) => {
    const all = new Sightings(fieldsOf('/status.json of a watch'));
    const [ownFields, statusFields] = [fieldsOf('A storage in /status.json'), fieldsOf('syncpozo status')];
    const [own, ofStatus] = [new Sightings(ownFields), new Sightings(statusFields)];
    for (const [n, scene] of SCENES.entries()) {
      const { storages, ...rest } = await jsonOf(t, scene, '/status.json');
      all.add({ ...rest, storages: {} }, String(n));
      const fields = Object.entries<unknown>(storages.main);
      const inContract = (contract: Contract) => Object.fromEntries(fields.filter(([name]) => contract.has(name)));
      for (const [name] of fields) assert.ok(ownFields.has(name) || statusFields.has(name), name);
      own.add(inContract(ownFields), String(n));
      if (storages.main.unreadable === null) ofStatus.add({ ...inContract(statusFields), check: null }, String(n));
      else assert.deepEqual(inContract(ownFields), storages.main);
    }
    assert.deepEqual([...all.wrong, ...own.wrong, ...ofStatus.wrong], []);
    assert.deepEqual([...all.unseen, ...own.unseen], []);
  });

  it('/status.json of figures that are an object of the watch, with more in it', async (t) => {
    const secret = { secret: {} };
    Object.assign(secret.secret, secret);
    const figures = Object.assign(Object.create(aStorage({ figures: PLAIN }).figures), secret);
    const { port } = await served(t, { ...monitoredOf(), storages: [{ ...aStorage(), figures }] });
    const { main } = JSON.parse((await get(port, '/status.json')).text).storages;
    assert.equal(main.figures.secret, undefined);
    assert.equal(main.figures.hungReads, 0);
  });

  it('the health checks', async (t) => {
    const all = new Sightings(fieldsOf('Health checks of a watch'));
    const one = new Sightings(fieldsOf('A storage in a health check'));
    for (const scene of SCENES)
      for (const check of CHECKS) {
        const { storages, ...rest } = await jsonOf(t, scene, `/${check}`);
        all.add({ ...rest, storages: {} }, check);
        one.add(storages.main, check);
      }
    assert.deepEqual([...all.wrong, ...one.wrong, ...all.unseen, ...one.unseen], []);
  });

  it('/metrics', async (t) => {
    const { port } = await served(t, everything());
    const documented = ['Prometheus', 'Prometheus, of a watch'].flatMap(
      (heading) => SECTIONS.get(heading)?.names ?? [],
    );
    const names = documented.filter((name) => /^(syncpozo|process)_/.test(name));
    assert.deepEqual([...namesIn((await get(port, '/metrics')).text)].sort(), names.sort());
  });
});
