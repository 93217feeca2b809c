import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseConfiguration } from '../../src/config/parse-configuration.js';
import { clusterText } from '../support/cluster.js';

const STORAGES = 'storages: { main: { master: /mnt/peer/zeo/var, slave: /srv/zeo/var } }';

function parse(changes: Readonly<Record<string, string>>, storages = STORAGES) {
  return parseConfiguration(`${storages}\n${clusterText(changes)}\n`, '/etc/syncpozo.yml', '/usual');
}

/** The mistakes without the path of the file and without numbers of lines. */
function mistakesOf(changes: Readonly<Record<string, string>>, storages?: string): readonly string[] {
  const parsed = parse(changes, storages);
  return 'mistakes' in parsed ? parsed.mistakes.map((line) => line.replace(/^[^:]+:\d+: /, '')) : [];
}

const HOSTS = (one: string, other: string): string => `{ m1: { ${one} }, m2: { ${other} } }`;

describe('the section cluster', () => {
  it('has every default', () => {
    const parsed = parse({ hosts: HOSTS('address: 192.168.1.11', 'address: 192.168.1.12'), 'heartbeat-interface': '' });
    assert.ok('configuration' in parsed, 'mistakes' in parsed ? parsed.mistakes.join('\n') : '');
    assert.deepEqual(parsed.configuration.cluster, {
      hosts: [
        { name: 'm1', address: '192.168.1.11', heartbeat: '192.168.1.11' },
        { name: 'm2', address: '192.168.1.12', heartbeat: '192.168.1.12' },
      ],
      address: '192.168.1.10/24',
      interface: 'eth0',
      heartbeatInterface: 'eth0',
      manager: 'heartbeat',
      deadtimeSeconds: 5,
      ping: undefined,
      maxAgeSeconds: 3600,
      zeo: {
        control: '/srv/zeo/bin/zeoctl',
        port: 8100,
        user: 'zope',
        startWaitSeconds: 300,
        stopWaitSeconds: 60,
        promoteWaitSeconds: 20,
      },
      clients: { restart: [], caches: [], afterLoss: true },
      web: undefined,
    });
  });

  it('accepts what other clusters have', () => {
    for (const changes of [
      { hosts: '{ a.example.org: { address: 10.1.0.1 }, b-2: { address: 10.1.0.2 } }', 'heartbeat-interface': '' },
      { hosts: HOSTS('address: 10.1.0.1, heartbeat: 10.1.0.1', 'address: 10.1.0.2, heartbeat: 10.1.0.2') },
      { interface: 'bond0.100', manager: 'pacemaker', deadtime: '500ms', ping: '192.168.1.1' },
      { zeo: '{ control: /opt/my-site_1/bin/zeoserver, port: 9999, user: www_zope, start-wait: 1h }' },
      { clients: '{ restart: [/usr/local/sbin/clients, "it\'s $(all)"], caches: ["/srv/zope/var/*.zec"] }' },
      { clients: '{ caches: ["/srv/zeo/var/*.zec", "/var/lib/zope/client?/[a-c]*-main.zec"], after-loss: false }' },
      { web: '{ check: "https://localhost/health" }' },
    ] as const) {
      const given = { ...changes, ...('deadtime' in changes ? { deadtime: '1500ms' } : {}) };
      assert.deepEqual(mistakesOf(given), [], JSON.stringify(given));
    }
  });
});

const MISTAKES: readonly (readonly [
  what: string,
  changes: Readonly<Record<string, string>>,
  ...expected: readonly RegExp[],
])[] = [
  [
    'no host',
    { hosts: '{}', 'heartbeat-interface': '' },
    /^cluster\.hosts: found keys with values, expected two hosts by their names$/,
  ],
  [
    'one host',
    { hosts: '{ m1: { address: 10.0.0.1 } }' },
    /^cluster\.hosts: found 1 host, expected two: each is the standby of the other$/,
  ],
  [
    'three hosts',
    { hosts: '{ m1: { address: 10.0.0.1 }, m2: { address: 10.0.0.2 }, m3: { address: 10.0.0.3 } }' },
    /^cluster\.hosts: found 3 hosts, expected two/,
  ],
  [
    'names that differ behind a dot',
    { hosts: '{ m.one: { address: 10.0.0.1 }, m.two: { address: 10.0.0.2 } }', 'heartbeat-interface': '' },
    /^cluster\.hosts: found m\.two beside m\.one, expected names that differ before the first "\."$/,
  ],
  [
    'names that differ in case',
    { hosts: '{ m1: { address: 10.0.0.1 }, M1: { address: 10.0.0.2 } }', 'heartbeat-interface': '' },
    /^cluster\.hosts: found M1 beside m1, expected names that differ before the first "\."$/,
  ],
  [
    'a host that has the address of the other one',
    { hosts: HOSTS('address: 10.0.0.1', 'address: 10.0.0.1'), 'heartbeat-interface': '' },
    /^cluster\.hosts\.m2\.address: found 10\.0\.0\.1, which is cluster\.hosts\.m1\.address in line 3 as well, expected an address of its own$/,
  ],
  [
    'one second link',
    { hosts: HOSTS('address: 10.0.0.1, heartbeat: 10.0.0.3', 'address: 10.0.0.2') },
    /^cluster\.hosts\.m2: found no key heartbeat, expected it, as the other host has one$/,
  ],
  [
    'a second link without addresses',
    { hosts: HOSTS('address: 10.0.0.1', 'address: 10.0.0.2') },
    /^cluster\.heartbeat-interface: found an interface without addresses, expected the key heartbeat of both hosts/,
  ],
  [
    'the floating address is that of a host',
    { address: '10.0.0.12/8' },
    /^cluster\.address: found 10\.0\.0\.12, which is cluster\.hosts\.m2\.heartbeat in line 3 as well/,
  ],
  [
    'a host as router',
    { ping: '192.168.1.11' },
    /^cluster\.ping: found 192\.168\.1\.11, which is cluster\.hosts\.m1\.address in line 3 as well/,
  ],
  ['an address without a network', { address: '192.168.1.10' }, /^cluster\.address: found "192\.168\.1\.10", expected/],
  ['a network too long', { address: '192.168.1.10/33' }, /^cluster\.address: found "192\.168\.1\.10\/33", expected an/],
  ['an address that is none', { address: '192.168.1.256/24' }, /^cluster\.address: found .* expected an IPv4 address/],
  ['a name as router', { ping: 'router' }, /^cluster\.ping: found "router", expected an IPv4 address/],
  [
    'deadtime too short',
    { deadtime: '900ms' },
    /^cluster\.deadtime: found "900ms", expected a duration from 1s to 5min/,
  ],
  ['deadtime too long', { deadtime: '6min' }, /^cluster\.deadtime: found "6min", expected a duration from 1s to 5min/],
  ['an interface with a blank', { interface: '"eth 0"' }, /^cluster\.interface: found "eth 0", expected the name/],
  ['an interface with a path', { interface: '../eth0' }, /^cluster\.interface: found/],
  ['an interface that is too long', { interface: 'e123456789012345' }, /^cluster\.interface: found/],
  ['a relative control', { zeo: '{ control: bin/zeoctl }' }, /^cluster\.zeo\.control: found "bin\/zeoctl", expected/],
  ['a control with dots', { zeo: '{ control: /srv/../zeoctl }' }, /^cluster\.zeo\.control: found/],
  ['a control with a blank', { zeo: '{ control: "/srv/my zeo/zeoctl" }' }, /^cluster\.zeo\.control: found/],
  [
    'a port too large',
    { zeo: '{ control: /a, port: 65536 }' },
    /^cluster\.zeo\.port: found the number 65536, expected/,
  ],
  ['a user that is none', { zeo: '{ control: /a, user: "a;b" }' }, /^cluster\.zeo\.user: found "a;b", expected/],
  ['no control', { zeo: '{ port: 8100 }' }, /^cluster\.zeo: found no key control, expected it: the absolute path/],
  ['no zeo', { zeo: '' }, /^cluster: found no key zeo, expected it: /],
  [
    'another manager',
    { manager: 'corosync' },
    /^cluster\.manager: found "corosync", expected heartbeat, keepalived or/,
  ],
  ['a host name with a blank', { hosts: '{ "m 1": { address: 10.0.0.1 }, m2: { address: 10.0.0.2 } }' }, /./, /./],
  ['a command as text', { clients: '{ restart: systemctl restart zope }' }, /^cluster\.clients\.restart: found/],
  ['an empty program', { clients: '{ restart: [""] }' }, /^cluster\.clients\.restart: found "", expected a list/],
  ['a service with a blank', { web: '{ check: "http://h/", service: "a b" }' }, /^cluster\.web\.service: found "a b"/],
  [
    'a check that is no URL',
    { web: '{ check: localhost }' },
    /^cluster\.web\.check: found "localhost", expected a URL/,
  ],
  ['web without a check', { web: '{ service: apache2 }' }, /^cluster\.web: found no key check/],
  [
    'an unknown key',
    { intreface: 'eth0' },
    /^cluster: found the unknown key "intreface", expected interface, perhaps$/,
  ],
];

describe('a mistake in the section cluster', () => {
  for (const [what, changes, ...expected] of MISTAKES)
    it(what, () => {
      const mistakes = mistakesOf(changes);
      assert.equal(mistakes.length, expected.length, mistakes.join('\n'));
      for (const [index, each] of expected.entries()) assert.match(mistakes[index] ?? '', each);
    });

  it('is in the line of its value', () => {
    const parsed = parse({ deadtime: '7min' });
    assert.ok('mistakes' in parsed);
    assert.match(parsed.mistakes.join(), /^\/etc\/syncpozo\.yml:8: cluster\.deadtime: /);
  });

  it('is one port for the watch and ZEO', () => {
    const listening = `${STORAGES}\nwatch: { listen: 127.0.0.1:8100 }`;
    const found = /^watch\.listen: found port 8100, which is cluster\.zeo\.port as well, expected a port of its own$/;
    assert.match(mistakesOf({}, listening).join('\n'), found);
    assert.deepEqual(mistakesOf({ zeo: '{ control: /a, port: 8101 }' }, listening), []);
  });

  it('is two names of storages that make one variable of a shell', () => {
    for (const [one, other] of [
      ['a-b', 'a_b'],
      ['a', 'a-peer'],
      ['a_peer', 'a'],
    ]) {
      const storages = `storages: { ${one}: { master: /m1, slave: /s1 }, ${other}: { master: /m2, slave: /s2 } }`;
      assert.match(mistakesOf({}, storages).join('\n'), new RegExp(`^storages\\.${other}: found a name too much like`));
    }
    const other = 'storages: { a: { master: /m1, slave: /s1 }, a-data: { master: /m2, slave: /s2 } }';
    assert.deepEqual(mistakesOf({}, other), []);
  });
});
