import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { GuardedHost } from './guarded-host.js';
import { giveRole } from './zeo.js';

const MOVED = /^hb_standby all/;

describe('the watchdog of the guard', { concurrency: 6 }, () => {
  test('ZEO that has died and does not start: everything moves to the other host, once', async (t) => {
    const host = await GuardedHost.make(t);
    await host.serve();
    host.start();
    await host.rounds(3);
    assert.equal(host.calls(/./), 0);
    host.endListening();
    await host.eventually('all moves', () => host.calls(MOVED) === 1);
    assert.equal(host.calls(/^zeo start/), 1, 'one start is tried first');
    await host.says(/MOVING EVERYTHING TO m2/);
    // It has not helped, and all is here again: a person has to come.
    await host.eventually('the address has left', () => !host.has('address'));
    // The guard has seen that the order was taken.
    await new Promise((resolve) => setTimeout(resolve, 3000));
    host.set('address');
    await host.says(/there was a move less than 10 min ago/);
    assert.equal(host.calls(MOVED), 1);
  });

  test('an order that heartbeat has ignored is given again', async (t) => {
    const host = await GuardedHost.make(t);
    await host.serve();
    host.set('starting');
    host.endListening();
    host.start();
    await host.eventually('it is given twice', () => host.calls(MOVED) === 2);
    await host.rounds(3);
    assert.equal(host.calls(MOVED), 2);
    assert.doesNotMatch(host.output, /did not take the order/);
  });

  test('ZEO that has died and starts again stays here', async (t) => {
    const host = await GuardedHost.make(t);
    await host.serve();
    host.set('starts');
    host.start();
    host.endListening();
    await host.eventually('it is started', () => host.calls(/^zeo start/) === 1);
    await host.listen();
    await host.rounds(4);
    assert.equal(host.calls(MOVED), 0);
  });

  for (const [what, spoil] of [
    ['is no slave', (host: GuardedHost) => giveRole(host.peer, 'superseded', 1)],
    ['has its heartbeat off', (host: GuardedHost) => writeFileSync(join(host.state, 'status.m2'), 'dead\n')],
  ] as const) {
    test(`nothing moves to a host that ${what}`, async (t) => {
      const host = await GuardedHost.make(t);
      await host.serve();
      host.endListening();
      spoil(host);
      host.start();
      await host.says(/A PERSON IS NEEDED/);
      assert.equal(host.calls(MOVED), 0);
    });
  }

  test('a web server that does not answer is restarted once, then everything moves', async (t) => {
    const web = { web_check: 'http://127.0.0.1/', web_service: 'apache2', WEB_BOOT_SECONDS: 1, WEB_AGAIN_SECONDS: 3 };
    const host = await GuardedHost.make(t, web);
    await host.serve();
    host.start();
    await host.rounds(3);
    assert.equal(host.calls(/./), 0);
    host.unset('web');
    await host.eventually('it is restarted', () => host.calls(/^systemctl restart .*apache2/) === 1);
    assert.equal(host.calls(MOVED), 0);
    await host.eventually('all moves', () => host.calls(MOVED) === 1);
    assert.equal(host.calls(/^systemctl restart/), 1);
  });

  test('a takeover that heartbeat has forgotten is asked for once more', async (t) => {
    const host = await GuardedHost.make(t);
    giveRole(host.dataFs, 'master', 2);
    host.set('unit', 'heartbeat');
    host.unset('answers.192.0.2.10');
    host.start();
    await host.eventually('it is asked', () => host.calls(/^req_resource zeo/) === 1);
  });

  test('control: a slave whose other host is alive asks for nothing, nor one whose other host serves', async (t) => {
    const slave = await GuardedHost.make(t);
    slave.set('unit', 'heartbeat');
    slave.unset('answers.192.0.2.10');
    slave.start();
    const standby = await GuardedHost.make(t);
    standby.set('unit', 'heartbeat');
    writeFileSync(join(standby.state, 'status.m2'), 'dead\n');
    standby.start();
    await slave.rounds(6);
    assert.equal(slave.calls(/./) + standby.calls(/./), 0);
  });

  test('under keepalived only the web server is watched, and the host asks to be left out', async (t) => {
    const web = { web_check: 'http://127.0.0.1/', WEB_BOOT_SECONDS: 1, WEB_AGAIN_SECONDS: 2 };
    const host = await GuardedHost.make(t, { cluster_manager: 'keepalived', ...web });
    await host.serve();
    host.endListening();
    host.start();
    await host.rounds(5);
    assert.equal(host.calls(/./), 0);
    host.unset('web');
    await host.says(/MOVING EVERYTHING/);
    assert.equal(host.calls(/./), 0);
  });
});
