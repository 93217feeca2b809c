import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { account, assertNobodyServedAgainstItsRole } from './support/aftermath.js';
import { type Course, serving, survived, takenOver, wayBack } from './support/course.js';
import { silence } from './support/elected-host.js';
import type { Host } from './support/host.js';
import { type Pair, seconds } from './support/pair.js';
import { assertSameBytes } from './support/same-bytes.js';
import { scenes } from './support/scene.js';

/** Everything is accounted for, and the slave has it too. */
async function settle(pair: Pair, { began, requests }: Course, lossAllowed = true): Promise<void> {
  const host = serving(pair);
  const { lost } = account(pair, host, requests, began);
  if (!lossAllowed) assert.equal(lost.length, 0, 'nothing may be lost');
  await assertSameBytes(pair, host, pair.other(host));
  assertNobodyServedAgainstItsRole(pair, began);
}

async function back(pair: Pair, host: Host, course: Course): Promise<void> {
  if (!host.isUp) await pair.boot(host);
  await wayBack(pair, host);
  await settle(pair, course);
}

/** Does it to the slave, while the site goes on; nothing may be lost, and the slave must be in step again. */
async function ofTheSlave(pair: Pair, hurt: (slave: Host) => Promise<void>): Promise<void> {
  const course = await survived(pair, (host) => hurt(pair.other(host)));
  await pair.inStep(pair.other(serving(pair)));
  await settle(pair, course, false);
}

// The brackets: the shell that runs it is not meant.
const APACHE_IS_KILLED = 'pkill -KILL -x apache2';
const ZEO_IS_KILLED = "pkill -KILL -f '[b]in/runzeo -C'";

/** A switchover to a host whose ZEO does not start: this one serves again, with nothing lost. */
async function takenBack(pair: Pair, body: string): Promise<void> {
  const slave = pair.other(serving(pair));
  await slave.ok(`mv /srv/zeo/bin/runzeo /srv/zeo/bin/runzeo.good
    printf '#!/bin/sh\\n${body}\\n' >/srv/zeo/bin/runzeo
    chmod 755 /srv/zeo/bin/runzeo`);
  const course = await survived(pair, async (host) => {
    const { status, output } = await host.inside('/usr/local/lib/syncpozo/switchover', { timeoutMs: 200_000 });
    assert.equal(status, 1, output);
    assert.match(output, /could not serve, and this host serves again/);
  });
  await slave.ok('mv /srv/zeo/bin/runzeo.good /srv/zeo/bin/runzeo');
  silence(pair, course.began, 90);
  await pair.inStep(slave);
  await pair.managed(slave);
  const host = serving(pair);
  assert.equal(account(pair, host, course.requests).lost.length, 0);
  assertNobodyServedAgainstItsRole(pair, course.began);
  // The blobs may differ by one of a commit that the switchover has cut off: no transaction names it.
  await slave.ok('cmp /srv/zeo/var/Data.fs /mnt/peer/zeo/var/Data.fs');
}

scenes('faults', {
  'every process of the master is killed at once, and its kernel takes leave': async (pair) => {
    const from = serving(pair);
    const course = await takenOver(pair, (host) => host.kill());
    await back(pair, from, course);
  },

  'the mount hangs in the middle of a sync, and then the master dies': async (pair) => {
    const from = serving(pair);
    const slave = pair.other(from);
    const course = await takenOver(pair, async (host) => {
      await slave.ok('pkill -STOP -x sshfs');
      await sleep(2000);
      await pair.cutPower(host);
    });
    await slave.ok('systemctl kill -s KILL syncpozo-peer');
    await back(pair, from, course);
  },

  'the mount is taken away under a sync': (pair) =>
    ofTheSlave(pair, async (slave) => void (await slave.ok('umount -l /mnt/peer/zeo'))),

  'the other side of the mount hangs for a while': async (pair) => {
    const course = await survived(pair, async (host) => {
      await host.ok("pkill -STOP -f '[s]shd: zope'");
      await sleep(6000);
      await host.ok("pkill -CONT -f '[s]shd: zope'");
    });
    await pair.inStep(pair.other(serving(pair)));
    await settle(pair, course, false);
  },

  'ZEO is killed: zdaemon starts it': async (pair) => {
    const course = await survived(pair, async (host) => {
      await host.ok(ZEO_IS_KILLED);
      await sleep(1000);
    });
    await pair.inStep(pair.other(serving(pair)));
    await settle(pair, course, false);
  },

  'ZEO and zdaemon are killed: the guard starts them': async (pair) => {
    const course = await survived(pair, async (host) => {
      await host.ok(`pkill -KILL -f '[b]in/zeoctl'; ${ZEO_IS_KILLED}`);
      await sleep(1000);
    });
    await pair.inStep(pair.other(serving(pair)));
    await settle(pair, course, false);
  },

  'ZEO cannot be started any more: everything moves to the other host': async (pair) => {
    const from = serving(pair);
    const course = await takenOver(pair, async (host) => {
      await host.ok(`mv /srv/zeo/bin/runzeo /srv/zeo/bin/runzeo.good
        printf '#!/bin/sh\\nexit 1\\n' >/srv/zeo/bin/runzeo
        chmod 755 /srv/zeo/bin/runzeo
        pkill -KILL -f '[b]in/zeoctl'; ${ZEO_IS_KILLED}`);
    });
    await from.ok('mv /srv/zeo/bin/runzeo.good /srv/zeo/bin/runzeo');
    await back(pair, from, course);
  },

  'the web server is killed: it is started again': async (pair) => {
    await settle(pair, await survived(pair, async (host) => void (await host.ok(APACHE_IS_KILLED))), false);
  },

  'one Zope client is killed: the other one serves': async (pair) => {
    const course = await survived(pair, async (host) => void (await host.ok('systemctl kill -s KILL zope')));
    await pair.siteAnswers(serving(pair));
    await settle(pair, course, false);
  },

  'the slave loses its power, and comes back': async (pair) => {
    const slave = pair.other(serving(pair));
    const course = await survived(pair, (host) => pair.cutPower(pair.other(host)).then(() => undefined));
    await pair.boot(slave);
    await pair.inStep(slave);
    await pair.managed(slave);
    await settle(pair, course, false);
  },

  'a switchover to a host whose ZEO dies at its start is taken back': (pair) => takenBack(pair, 'exit 1'),

  'a switchover to a host whose ZEO hangs at its start is taken back': (pair) => takenBack(pair, 'exec sleep 1000'),

  'the web server cannot be started any more: everything moves to the other host': async (pair) => {
    // One move in ten minutes: a boot forgets the one before.
    for (const host of [pair.m1, pair.m2]) await host.ok('rm -f /run/syncpozo/moved /run/syncpozo/restarted');
    const from = serving(pair);
    const course = await takenOver(pair, async (host) => {
      await host.ok(`systemctl mask --runtime apache2; systemctl stop apache2; ${APACHE_IS_KILLED} || :`);
    });
    await from.ok('systemctl unmask --runtime apache2; systemctl start apache2');
    await back(pair, from, course);
  },

  // It leaves the slave's data in memory: the last one.
  "the slave's disk is full, and then it is not": async (pair) => {
    const slave = pair.other(serving(pair));
    await slave.ok(`systemctl stop syncpozo-watch
      cp -a /srv/zeo /srv/zeo.disk
      size=$(($(du -sk /srv/zeo | cut -f 1) + 600))
      mount -t tmpfs -o "size=\${size}k,mode=755,uid=5555,gid=5555" tmpfs /srv/zeo
      cp -a /srv/zeo.disk/. /srv/zeo/
      systemctl start syncpozo-watch`);
    const visitors = pair.load({ blobEach: 2 });
    const began = seconds();
    const fails = async (): Promise<boolean> =>
      /ENOSPC|no space/i.test((await slave.inside('journalctl -b -u syncpozo-watch')).output);
    await pair.eventually('the watch reports that the disk is full', fails, 60);
    await sleep(3000);
    const requests = await visitors.end();
    await slave.ok('mount -o remount,size=200m /srv/zeo');
    pair.say('there is room again');
    await pair.inStep(slave);
    const host = serving(pair);
    assert.equal(account(pair, host, requests).lost.length, 0);
    assertNobodyServedAgainstItsRole(pair, began);
    await slave.ok(`cmp /srv/zeo/var/Data.fs /mnt/peer/zeo/var/Data.fs
      diff -rq --exclude=tmp /srv/zeo/blobs /mnt/peer/zeo/blobs`);
  },
});
