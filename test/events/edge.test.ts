import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { edgeOf, LASTING_SECONDS, type Present } from '../../src/events/edge.js';
import { formatRaised, NOTHING_RAISED, parseRaised, TROUBLE_EVENTS } from '../../src/standby/raised.js';
import { runs } from '../hostile/settings.js';

const START = Date.UTC(2026, 5, 7, 8, 9, 10, 11);
const HOUR = 3600;

/** One run: so many seconds after the one before, with this trouble; '' is in step. */
type Step = readonly [seconds: number, trouble: string];

function presentOf(trouble: string): Present | undefined {
  const [name, place = 'here'] = trouble.split('@');
  const event = TROUBLE_EVENTS.find((each) => each === name);
  assert.ok(event || trouble === '', trouble);
  return event && { event, place };
}

interface Said {
  readonly at: number;
  /** `damage@200`, or `in-step`. */
  readonly what: string;
  /** Since when the trouble is said to be there, in seconds. */
  readonly since: number;
}

/** Plays runs. What is remembered goes through its text each time, as from one process to the next. */
function play(steps: readonly Step[]): Said[] {
  let raised = NOTHING_RAISED;
  let now = START;
  const said: Said[] = [];
  for (const [seconds, trouble] of steps) {
    now += seconds * 1000;
    const edge = edgeOf(raised, now, presentOf(trouble));
    const note = (what: string, since: number): void => {
      said.push({ at: (now - START) / 1000, what, since: (since - START) / 1000 });
    };
    if (edge.begun !== undefined) note(trouble, edge.begun);
    if (edge.ended !== undefined) note('in-step', edge.ended);
    raised = parseRaised(formatRaised(edge.raised));
    assert.deepEqual(raised, edge.raised);
  }
  return said;
}

const TABLE: readonly (readonly [name: string, steps: readonly Step[], said: readonly string[]])[] = [
  [
    'nothing but runs in step',
    [
      [60, ''],
      [60, ''],
    ],
    [],
  ],
  [
    'a refusal, at once and once, and its end',
    [
      [60, 'refusal'],
      [60, 'refusal'],
      [60, 'refusal'],
      [60, ''],
    ],
    ['60 refusal since 60', '240 in-step since 60'],
  ],
  [
    'one run that fails',
    [
      [60, 'fault'],
      [60, ''],
      [60, ''],
    ],
    [],
  ],
  [
    'a fault that lasts: with the second run of cron',
    [
      [60, 'fault'],
      [59.9, 'fault'],
      [60, 'fault'],
      [60, ''],
    ],
    ['119.9 fault since 60', '239.9 in-step since 60'],
  ],
  [
    'a fault of a watch, which tries every second',
    Array.from({ length: 100 }, (): Step => [1, 'fault']),
    ['51 fault since 1'],
  ],
  [
    'a refusal becomes a fork: one trouble that ends once',
    [
      [60, 'refusal'],
      [60, 'fork'],
      [60, ''],
    ],
    ['60 refusal since 60', '120 fork since 120', '180 in-step since 60'],
  ],
  [
    'damage at another place within the hour has to last',
    [
      [60, 'damage@1'],
      [60, 'damage@2'],
      [30, 'damage@2'],
      [30, 'damage@2'],
      [60, ''],
    ],
    ['60 damage@1 since 60', '180 damage@2 since 120', '240 in-step since 60'],
  ],
  [
    'damage at another place after an hour',
    [
      [60, 'damage@1'],
      [HOUR, 'damage@2'],
    ],
    ['60 damage@1 since 60', '3660 damage@2 since 3660'],
  ],
  [
    'a fault during a refusal',
    [
      [60, 'refusal'],
      [60, 'fault'],
      [60, 'fault'],
      [60, ''],
    ],
    ['60 refusal since 60', '180 fault since 120', '240 in-step since 60'],
  ],
  ['a fault every second minute', Array.from({ length: 100 }, (_, n): Step => [60, n % 2 ? '' : 'fault']), []],
  [
    'a refusal every second minute',
    Array.from({ length: 20 }, (_, n): Step => [60, n % 2 ? '' : 'refusal']),
    ['60 refusal since 60', '120 in-step since 60'],
  ],
  [
    'a refusal that comes back within the hour, and stays',
    [
      [60, 'refusal'],
      [60, ''],
      [60, 'refusal'],
      [60, 'refusal'],
      [60, ''],
    ],
    ['60 refusal since 60', '120 in-step since 60', '240 refusal since 180', '300 in-step since 180'],
  ],
  [
    'kinds that take turns, and nothing is reported so far',
    [
      [60, 'refusal'],
      [60, ''],
      [60, 'fault'],
      [20, 'refusal'],
      [20, 'fault'],
      [20, 'refusal'],
    ],
    ['60 refusal since 60', '120 in-step since 60', '240 refusal since 180'],
  ],
  [
    'a clock that is set back an hour: the fault has to last from then on',
    [
      [60, 'fault'],
      [-HOUR, 'fault'],
      [60, 'fault'],
      [60, 'fault'],
    ],
    ['-3480 fault since -3540'],
  ],
  [
    'a clock that is set back while a refusal stands, and its end',
    [
      [60, 'refusal'],
      [-HOUR, 'refusal'],
      [60, ''],
    ],
    ['60 refusal since 60', '-3480 in-step since 60'],
  ],
  [
    'a clock that is set back between two refusals: one is repeated',
    [
      [60, 'refusal'],
      [-HOUR, ''],
      [60, 'refusal'],
      [60, ''],
      [60, 'refusal'],
      [60, ''],
    ],
    ['60 refusal since 60', '-3540 in-step since 60', '-3480 refusal since -3480', '-3420 in-step since -3480'],
  ],
];

describe('a trouble is an event', () => {
  for (const [name, steps, said] of TABLE)
    it(name, () => {
      assert.deepEqual(
        play(steps).map(({ at, what, since }) => `${at} ${what} since ${since}`),
        said,
      );
    });

  it('where runs could not be remembered, a fault counts from the last one that was', () => {
    const now = START + 120_000;
    const fault = presentOf('fault');
    assert.equal(edgeOf(NOTHING_RAISED, now, fault).begun, undefined);
    assert.equal(edgeOf(NOTHING_RAISED, now, fault, START).begun, START);
    assert.equal(edgeOf(NOTHING_RAISED, now, fault, now + 1).begun, undefined);
  });
});

const trouble = fc.constantFrom('', '', 'refusal', 'fork', 'damage@1', 'damage@2', 'fault', 'blob-missing@1');
const forward = fc.constantFrom(1, 5, 20, 60, 60, 60, 300, HOUR, 9 * HOUR);
const anyway = fc.oneof(
  { weight: 9, arbitrary: forward },
  { weight: 1, arbitrary: fc.constantFrom(0, -1, -60, -HOUR, -99 * HOUR) },
);
const history = (seconds: fc.Arbitrary<number>) => fc.array(fc.tuple(seconds, trouble), { maxLength: 60 });

/** Stretches of runs with a trouble, without one in step between them; `same`: with the same one. */
function stretches(steps: readonly Step[], same: boolean): { from: number; to: number; what: string }[] {
  const found: { from: number; to: number; what: string }[] = [];
  let at = 0;
  let before = '';
  for (const [seconds, what] of steps) {
    at += seconds;
    const last = found.at(-1);
    if (what !== '' && before !== '' && last && (!same || what === before)) last.to = at;
    else if (what !== '') found.push({ from: at, to: at, what });
    before = what;
  }
  return found;
}

describe('whatever happens', () => {
  it('an end follows a trouble that was reported, and each has one end at the most', () => {
    fc.assert(
      fc.property(history(anyway), (steps) => {
        let isOpen = false;
        for (const { what } of play(steps)) {
          if (what === 'in-step') assert.ok(isOpen);
          isOpen = what !== 'in-step';
        }
        if (steps.at(-1)?.[1] === '') assert.equal(isOpen, false, 'after a run in step nothing is open');
      }),
      runs(2000),
    );
  });

  it('what lasts is reported: each trouble that stays the same exactly once, and each time without a run in step', () => {
    fc.assert(
      fc.property(history(forward), (steps) => {
        const said = play(steps).filter(({ what }) => what !== 'in-step');
        for (const { from, to, what } of stretches(steps, true)) {
          const count = said.filter((each) => each.what === what && each.at >= from && each.at <= to).length;
          assert.ok(count <= 1, `${what} from ${from} to ${to}: ${count}`);
          if (to - from >= LASTING_SECONDS) assert.equal(count, 1, `${what} from ${from} to ${to}`);
        }
        for (const { from, to } of stretches(steps, false))
          if (to - from >= LASTING_SECONDS) assert.ok(said.some(({ at }) => at >= from && at <= to));
      }),
      runs(2000),
    );
  });

  it('what does not last is reported once an hour at the most', () => {
    const brief = fc.array(
      fc.tuple(fc.constantFrom(1, 10, 30), fc.constantFrom('refusal', 'fork', 'damage@1', 'damage@2', 'fault')),
      { minLength: 100, maxLength: 300 },
    );
    fc.assert(
      fc.property(brief, (steps) => {
        const flapping = steps.map(([seconds, what], n): Step => [seconds, n % 2 ? '' : what]);
        const last = new Map<string, number>();
        for (const { at, what } of play(flapping)) {
          const [name = ''] = what.split('@');
          if (what === 'in-step') continue;
          assert.ok(at - (last.get(name) ?? -HOUR) >= HOUR, `${what} at ${at}`);
          last.set(name, at);
        }
      }),
      runs(200),
    );
  });
});
