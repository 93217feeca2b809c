import assert from 'node:assert/strict';
import { once } from 'node:events';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { EVENT_NAMES, type SlaveEvent } from '../../src/events/event.js';
import { lastLineOf, runHook } from '../../src/events/hook.js';
import { HOOK_NAMES, MOMENTS } from '../../src/events/hook-settings.js';
import { eventsOfPromotion } from '../../src/events/promotion-events.js';
import { eventsOfRejoin } from '../../src/events/rejoin-events.js';
import { type EndedRound, eventsOfRound, type RoundResult } from '../../src/events/round-events.js';
import { supersededEvent } from '../../src/events/superseded-event.js';
import type { PromotionResult } from '../../src/report/promotion.js';
import { NOTHING_RAISED, type Raised } from '../../src/standby/raised.js';
import { blocksOf, codeSpansOf, sectionOf } from '../docs/markdown.js';
import { withTempDir } from '../support/site.js';

const PAGE = 'docs/events.md';
const AT = Date.UTC(2026, 5, 7, 8, 9, 10, 11);
const AGO = { event: 'fault', place: 'outside', since: AT - 75_000, raised: false } as const;

const RESULT: RoundResult = {
  action: 'failed',
  reason: 'a reason',
  hint: 'a hint',
  exitCode: 4,
  master: { path: '/mnt/Data.fs' },
  slave: { path: '/srv/Data.fs', lastTid: '0405e70011111111', lastTime: '2026-01-01T00:00:04.000Z' },
  copied: { bytes: 0, transactions: 0 },
  blobs: null,
  damage: null,
  onlyHere: null,
  onlyThere: null,
  seconds: 1.5,
};

function round(trouble: EndedRound['trouble'], result: Partial<RoundResult> = {}, before: Raised = NOTHING_RAISED) {
  return eventsOfRound(before, { time: AT, trouble, result: { ...RESULT, ...result }, storage: 'main' }).events;
}

function promotion(result: Partial<PromotionResult> = {}, loss: Partial<NonNullable<PromotionResult['loss']>> = {}) {
  const whole = {
    promoted: true,
    already: false,
    exitCode: 0,
    term: 3,
    slave: { path: '/srv/Data.fs', position: 1042, lastTid: '0405e70011111111', lastTime: null, lockedBy: null },
    lastSync: '2026-01-01T00:00:05.000Z',
    loss: {
      possible: true,
      certain: false,
      afterTid: '0405e70011111111',
      afterTime: null,
      transactions: null,
      masterTid: null,
      masterTime: null,
      why: 'nobody knows',
      ...loss,
    },
    ...result,
  };
  return eventsOfPromotion(whole as PromotionResult, AT, undefined);
}

const SUPERSEDED = { term: 0, peer: '/mnt/Data.fs', peerTerm: 1, reason: 'a reason', hint: 'a hint' };

const inStep: Raised = { trouble: undefined, open: AT - 75_000, last: [] };

/** Each event, with its message and its facts. */
function rejoins(): readonly (readonly [readonly SlaveEvent[], string, SlaveEvent['facts']])[] {
  const master = '/mnt/Data.fs';
  const copied = { bytes: 9, transactions: 3 };
  const lost = {
    transactions: 2,
    objects: 5,
    firstTid: '0405e70011111111',
    lastTid: '0405e70022222222',
    file: '/srv/lost-0405e70011111111-0405e70022222222.fs',
    report: '/srv/lost-0405e70011111111-0405e70022222222.json',
  };
  const { transactions: lostTransactions, ...facts } = lost;
  const events = eventsOfRejoin({ action: 'rewind', master, copied, lost }, AT, {
    storage: 'main',
    slave: '/srv/Data.fs',
  });
  return [
    [
      events.slice(0, 1),
      'the old master is a slave of /mnt/Data.fs again',
      { master, action: 'rewind', ...copied, lostTransactions },
    ],
    [events.slice(1), `2 transactions of the old master are only in ${lost.file}`, { lostTransactions, ...facts }],
  ];
}

const TABLE: readonly (readonly [events: readonly SlaveEvent[], message: string, facts: SlaveEvent['facts']])[] =
  (() => {
    const common = {
      since: '2026-06-07T08:09:10.011Z',
      master: '/mnt/Data.fs',
      exitCode: 4,
      reason: 'a reason',
      hint: 'a hint',
    };
    const sides = { onlyHere: { transactions: 2 }, onlyThere: { transactions: 0 } };
    const damage = { position: 812, tid: '0405e70011111111', rule: 'hash', slaveToo: true };
    const blobs = { missing: 2, wrong: 1 };
    const loss = {
      lostTransactions: null,
      masterTid: null,
      position: 1042,
      lastTid: '0405e70011111111',
      lastTime: null,
      lastSync: '2026-01-01T00:00:05.000Z',
    };
    return [
      [round('refused', sides), 'a reason', { ...common, kind: 'refused', onlySlave: 2, onlyMaster: 0 }],
      [
        round('in-use', { exitCode: 5 }),
        'a reason',
        { ...common, exitCode: 5, kind: 'in-use', onlySlave: null, onlyMaster: null },
      ],
      [round('forked', sides), 'a reason', { ...common, kind: 'forked', onlySlave: 2, onlyMaster: 0 }],
      [round('damaged', { damage, blobs }), 'a reason', { ...common, ...damage }],
      [round('damaged'), 'a reason', { ...common, position: null, tid: null, rule: null, slaveToo: null }],
      [round('damaged', { blobs }), 'a reason', { ...common, ...blobs }],
      [
        round('out-of-reach', {}, { ...NOTHING_RAISED, trouble: AGO }),
        'for 75 s: a reason',
        { ...common, since: '2026-06-07T08:07:55.011Z', kind: 'out-of-reach', seconds: 75 },
      ],
      [
        round('fault', { hint: null }, { ...NOTHING_RAISED, trouble: AGO }),
        'for 75 s: a reason',
        { ...common, hint: null, since: '2026-06-07T08:07:55.011Z', kind: 'fault', seconds: 75 },
      ],
      [
        round(undefined, { action: 'rebuild', copied: { bytes: 9, transactions: 3 } }),
        'the slave was replaced by a new copy: a reason',
        { master: '/mnt/Data.fs', reason: 'a reason', bytes: 9, transactions: 3, seconds: 1.5 },
      ],
      [
        round(undefined, { action: 'append' }, inStep),
        'the slave is in step again, after 75 s',
        {
          since: '2026-06-07T08:07:55.011Z',
          seconds: 75,
          lastTid: '0405e70011111111',
          lastTime: '2026-01-01T00:00:04.000Z',
        },
      ],
      ...rejoins(),
      [[supersededEvent({ ...SUPERSEDED, slave: '/srv/Data.fs', storage: undefined }, AT)], 'a reason', SUPERSEDED],
      [
        promotion({ loss: null }),
        'the slave was promoted, term 3',
        {
          term: 3,
          loss: null,
          position: 1042,
          lastTid: '0405e70011111111',
          lastTime: null,
          lastSync: '2026-01-01T00:00:05.000Z',
          exitCode: 0,
        },
      ],
      [
        promotion().slice(1),
        'transactions after 0405e70011111111 may be lost: nobody knows',
        { loss: 'possible', ...loss },
      ],
      [
        promotion({}, { certain: true, transactions: 1, masterTid: '0405e70022222222' }).slice(1),
        '1 transaction after 0405e70011111111 is lost: nobody knows',
        { loss: 'certain', ...loss, lostTransactions: 1, masterTid: '0405e70022222222' },
      ],
    ];
  })();

describe('the events of a round and of a promotion', () => {
  for (const [events, message, facts] of TABLE)
    it(`${events[0]?.name}: ${message}`, () => {
      assert.equal(events.length, 1);
      const [event] = events;
      assert.deepEqual(event?.facts, facts);
      assert.deepEqual(
        [event?.message, event?.time, event?.slave],
        [message, '2026-06-07T08:09:10.011Z', '/srv/Data.fs'],
      );
    });

  it('say of a promotion whether transactions may be lost', () => {
    const lossOf = (...of: Parameters<typeof promotion>) => promotion(...of).map(({ facts }) => facts['loss']);
    assert.deepEqual(lossOf({}, { possible: false }), ['none']);
    assert.deepEqual(lossOf(), ['possible', 'possible']);
    assert.deepEqual(lossOf({}, { certain: true }), ['certain', 'certain']);
  });

  it('have the name of the storage', () => {
    assert.equal(round('refused')[0]?.storage, 'main');
    assert.equal(promotion()[0]?.storage, null);
  });

  it('none of a round in step, of a first copy, of one fault, and where nothing was promoted', () => {
    assert.deepEqual(round(undefined, { action: 'append', exitCode: 0 }), []);
    assert.deepEqual(round(undefined, { action: 'full', exitCode: 0 }), []);
    assert.deepEqual(round('fault'), []);
    assert.deepEqual(promotion({ promoted: false }), []);
    assert.deepEqual(promotion({ already: true }), []);
    assert.deepEqual(
      promotion({}, { possible: false }).map(({ name }) => name),
      ['promoted'],
    );
  });

  it('more than one of a round: a rebuild ends a trouble, or shows that blobs are missing', () => {
    const names = (events: readonly SlaveEvent[]) => events.map(({ name }) => name);
    assert.deepEqual(names(round(undefined, { action: 'rebuild' }, inStep)), ['rebuild', 'in-step']);
    assert.deepEqual(names(round('damaged', { action: 'rebuild', blobs: { missing: 1, wrong: 0 } })), [
      'rebuild',
      'blob-missing',
    ]);
  });

  it('have texts of bounded length', () => {
    const [event] = round('refused', { reason: 'x'.repeat(5000) });
    assert.equal(event?.message.length, 1000);
    assert.equal(String(event?.facts['reason']).length, 1000);
  });
});

describe('docs/events.md', () => {
  const rows = [...sectionOf(PAGE, 'The events').matchAll(/^\| `([a-z-]+)` \| .* \| (.*) \|$/gm)];

  it('names every event, and no other', () => {
    assert.deepEqual(
      rows.map(([, name]) => name),
      [...EVENT_NAMES],
    );
  });

  it('names every moment at which a hook may forbid', () => {
    const section = sectionOf(PAGE, 'A hook that may forbid');
    for (const name of HOOK_NAMES)
      assert.equal(
        section.includes(`\`${name}\``),
        MOMENTS.some((each) => each === name),
        name,
      );
  });

  for (const name of EVENT_NAMES)
    it(`names the facts of ${name}`, () => {
      const cell = (rows.find(([, each]) => each === name)?.[2] ?? '').replace(/\([^)]*\)/g, '');
      const found = TABLE.flatMap(([events]) => events).filter((event) => event.name === name);
      assert.ok(found.length > 0);
      for (const { facts } of found) assert.deepEqual(Object.keys(facts).sort(), codeSpansOf(cell).sort());
    });
});

describe('the hooks of docs/events.md', () => {
  const scripts = blocksOf(PAGE)
    .filter(({ language }) => language === 'sh')
    .map(({ lines }) => `${lines.join('\n')}\n`);

  function write(directory: string, name: string, text: string): string {
    const path = join(directory, name);
    writeFileSync(path, text);
    chmodSync(path, 0o755);
    return path;
  }

  it('are two', () => assert.equal(scripts.length, 2));

  it('the one that mails an event', () =>
    withTempDir(async (directory) => {
      const mail = join(directory, 'mail');
      const sendmail = write(directory, 'sendmail', `#!/bin/sh\n{ echo "to $*"; cat; } >'${mail}'\n`);
      const hook = write(directory, 'hook', scripts[0]!.replace('/usr/sbin/sendmail', sendmail));
      const [event] = round('refused');
      const end = await runHook([hook], event!, 30);
      assert.equal(end.ok, true, end.output);
      const [to, subject, empty, message, hint, ...rest] = readFileSync(mail, 'utf8').split('\n');
      assert.deepEqual(
        [to, subject, empty, message, hint],
        ['to root', 'Subject: syncpozo: refusal of /srv/Data.fs', '', 'a reason', 'a hint'],
      );
      assert.deepEqual(JSON.parse(rest.join('')), event);
    }));

  it('the one that forbids a takeover while the server of the master answers', () =>
    withTempDir(async (directory) => {
      const server = createServer((socket) => socket.end()).listen(0, '127.0.0.1');
      await once(server, 'listening');
      const address = server.address();
      assert.ok(typeof address === 'object' && address !== null);
      const text = scripts[1]!.replace('m1.example.com/8100', `127.0.0.1/${address.port}`);
      const hook = write(directory, 'hook', text);
      const [event] = round('refused');
      const alive = await runHook([hook], event!, 30);
      assert.deepEqual([alive.ok, lastLineOf(alive)], [false, 'the ZEO server on m1 still accepts connections']);
      server.close();
      await once(server, 'close');
      assert.equal((await runHook([hook], event!, 30)).ok, true);
    }));
});
