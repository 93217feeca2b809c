import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import {
  type EndedRun,
  formatOutcome,
  lastInStep,
  type OutcomeFile,
  type OutcomeRecord,
  parseOutcome,
  readOutcome,
  recordAfter,
  TROUBLE_KINDS,
  writeOutcome,
} from '../../src/standby/outcome-file.js';
import { type SlavePaths, slavePaths } from '../../src/standby/paths.js';
import { NOTHING_RAISED, TROUBLE_EVENTS } from '../../src/standby/raised.js';
import { xxh64 } from '../support/chunks.js';
import { withTempDir } from '../support/site.js';

const AT = Date.UTC(2026, 5, 7, 8, 9, 10, 11);
const MINUTE = 60_000;

const IN_STEP: OutcomeRecord = {
  time: AT,
  exitCode: 0,
  action: 'append',
  reason: '',
  inStep: AT,
  trouble: undefined,
};
const REFUSED: OutcomeRecord = {
  time: AT + 2 * MINUTE,
  exitCode: 3,
  action: 'refused',
  reason: 'a "reason"\nof two lines, a bar |, \u0085 and \u2028, and a half \ud800 of a character',
  inStep: AT,
  trouble: { kind: 'refused', since: AT + MINUTE },
};

/** With all that it may remember of events. */
const REPORTED: OutcomeRecord = {
  ...REFUSED,
  raised: {
    trouble: { event: 'damage', place: 'position-812', since: AT + MINUTE, raised: false },
    open: AT + 2 * MINUTE,
    last: TROUBLE_EVENTS.map((event, number) => ({ event, time: AT + number })),
  },
};

/** The file as written by hand, without its checksum. */
const IN_STEP_TEXT = [
  'syncpozo outcome 1',
  'last 2026-06-07T08:09:10.011Z 0 append',
  'reason ""',
  'in-step 2026-06-07T08:09:10.011Z',
  'trouble none',
];

async function withSlave(use: (paths: SlavePaths) => void): Promise<void> {
  await withTempDir((directory) => use(slavePaths(directory, 'Data.fs')));
}

describe('the record of an outcome', () => {
  it('is text, one line per fact, and is read back as it was', () => {
    assert.deepEqual(formatOutcome(IN_STEP).split('\n').slice(0, 5), IN_STEP_TEXT);
    const never: OutcomeRecord = { ...REFUSED, inStep: undefined };
    for (const record of [IN_STEP, REFUSED, never]) assert.deepEqual(parseOutcome(formatOutcome(record)), record);
    for (const kind of TROUBLE_KINDS) {
      const record: OutcomeRecord = { ...REFUSED, trouble: { kind, since: AT } };
      assert.deepEqual(parseOutcome(formatOutcome(record)), record);
    }
  });

  it('has lines for what was reported as events, which are read back as they were', () => {
    assert.deepEqual(parseOutcome(formatOutcome(REPORTED)), REPORTED);
    assert.deepEqual(formatOutcome(REPORTED).split('\n').slice(5, 8), [
      'event damage 2026-06-07T08:10:10.011Z waiting position-812',
      'open 2026-06-07T08:11:10.011Z',
      'raised refusal 2026-06-07T08:09:10.011Z',
    ]);
    const { trouble, open, last } = REPORTED.raised!;
    for (const raised of [
      { ...NOTHING_RAISED, last },
      { ...NOTHING_RAISED, open, trouble },
    ]) {
      const record: OutcomeRecord = { ...REFUSED, raised };
      assert.deepEqual(parseOutcome(formatOutcome(record)), record);
    }
    const calm: OutcomeRecord = { ...IN_STEP, raised: { ...NOTHING_RAISED, last } };
    assert.deepEqual(parseOutcome(formatOutcome(calm)), calm);
  });

  it('is rejected with such lines in another order, twice, of an unknown event or without a checksum of their own', () => {
    const lines = formatOutcome(REPORTED).split('\n').slice(0, -2);
    const sealed = (all: readonly string[]): string => {
      const body = `${all.join('\n')}\n`;
      return `${body}end ${xxh64(Buffer.from(body))}\n`;
    };
    assert.deepEqual(parseOutcome(sealed(lines)), REPORTED);
    const wrong = [
      lines.with(5, lines[6]!).with(6, lines[5]!),
      lines.with(8, lines[7]!),
      lines.with(7, lines[7]!.replace('refusal', 'moved')),
      lines.with(7, `${lines[7]!} `),
      lines.with(7, 'raised refusal 2026-02-30T08:09:10.011Z'),
      lines.with(7, 'raised refusal never'),
      lines.with(5, lines[5]!.replace('waiting', 'lost')),
      lines.with(5, lines[5]!.replace('position-812', `position-${'8'.repeat(200)}`)),
      [...lines, 'raised refusal 2026-06-07T08:09:10.011Z'],
    ];
    for (const all of wrong) assert.equal(parseOutcome(sealed(all)), undefined, all.join('\n'));
    assert.equal(parseOutcome(formatOutcome(REPORTED).replace('08:11:10', '08:11:11')), undefined);
  });

  it('contains no terminal control characters, and a truncated reason', () => {
    const every = Array.from({ length: 0x3000 }, (_, code) => String.fromCharCode(code));
    for (let at = 0; at < every.length; at += 500) {
      const reason = every.slice(at, at + 500).join('');
      const text = formatOutcome({ ...REFUSED, reason });
      assert.equal(text.split('\n').length, 7);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: the test asserts their absence
      assert.doesNotMatch(text, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029]/);
      assert.equal(parseOutcome(text)?.reason, reason);
    }
    const long = formatOutcome({ ...REFUSED, reason: '\u0001'.repeat(100_000) });
    assert.ok(long.length < 8192);
    assert.equal(parseOutcome(long)?.reason, '\u0001'.repeat(1000));
  });

  it('is rejected when it is truncated, altered in any bit, or invalid', () => {
    const text = formatOutcome(REPORTED);
    for (let length = 0; length < text.length; length++) assert.equal(parseOutcome(text.slice(0, length)), undefined);
    const bytes = Buffer.from(text);
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const flipped = Buffer.from(bytes);
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      assert.equal(parseOutcome(flipped.toString()), undefined, `bit ${bit}`);
    }
    for (const nonsense of ['', '\n', `${text}\n`, text + text, '\0'.repeat(200)])
      assert.equal(parseOutcome(nonsense), undefined);
  });

  it('is rejected when it contradicts itself, whatever its checksum', () => {
    const wrong: readonly OutcomeRecord[] = [
      { ...IN_STEP, trouble: { kind: 'fault', since: AT } },
      { ...IN_STEP, inStep: AT - 1 },
      { ...IN_STEP, inStep: undefined },
      { ...IN_STEP, action: 'failed' },
      { ...REFUSED, trouble: undefined },
      { ...IN_STEP, raised: { ...NOTHING_RAISED, open: AT } },
      { ...IN_STEP, raised: REPORTED.raised! },
    ];
    for (const record of wrong) assert.equal(parseOutcome(formatOutcome(record)), undefined);
  });
});

describe('the record after a run', () => {
  const failed = (minutes: number, trouble: EndedRun['trouble'], exitCode = 1): EndedRun => {
    return { time: AT + minutes * MINUTE, exitCode, action: 'failed', reason: 'so', trouble };
  };
  /** The outcomes of the runs, in order. */
  const after = (first: OutcomeFile, ...runs: readonly EndedRun[]): OutcomeRecord => {
    let file = first;
    for (const run of runs) file = { outcome: recordAfter(run, file, undefined) };
    assert.ok('outcome' in file);
    return file.outcome;
  };
  const inStep = { outcome: IN_STEP };

  it('keeps the start of the same kind of trouble, and the time of the last run in step', () => {
    const { trouble, inStep: last, time } = after(inStep, failed(1, 'out-of-reach'), failed(2, 'out-of-reach'));
    assert.deepEqual([trouble, last, time], [{ kind: 'out-of-reach', since: AT + MINUTE }, AT, AT + 2 * MINUTE]);
  });

  it('starts a new period with another kind of trouble, and after a run in step', () => {
    const other = after(inStep, failed(1, 'fault'), failed(2, 'damaged', 4), failed(3, 'fault'));
    assert.deepEqual(other.trouble, { kind: 'fault', since: AT + 3 * MINUTE });
    const ok: EndedRun = { time: AT + 2 * MINUTE, exitCode: 0, action: 'none', reason: '', trouble: undefined };
    assert.deepEqual(after(inStep, failed(1, 'fault'), ok), { ...ok, inStep: ok.time });
    const again = after(inStep, failed(1, 'fault'), ok, failed(3, 'fault'));
    assert.deepEqual([again.trouble?.since, again.inStep], [AT + 3 * MINUTE, ok.time]);
  });

  it('counts a refusal that becomes a fork, because the master grows, as the same period', () => {
    const { trouble } = after(inStep, failed(1, 'refused', 3), failed(2, 'forked', 3));
    assert.deepEqual(trouble, { kind: 'forked', since: AT + MINUTE });
  });

  it('takes a missing time from the .dat before the run, and none if the record was unusable', () => {
    assert.equal(recordAfter(failed(1, 'fault'), { missing: true }, AT - MINUTE).inStep, AT - MINUTE);
    assert.equal(recordAfter(failed(1, 'fault'), { problem: 'cut' }, AT - MINUTE).inStep, undefined);
    assert.equal(recordAfter(failed(1, 'fault'), inStep, AT + MINUTE).inStep, AT);
  });
});

describe('Data.fs.outcome', () => {
  it('is replaced atomically, with or without the lock, and leaves no other file', () =>
    withSlave((paths) => {
      assert.deepEqual(readOutcome(paths), { missing: true });
      for (const [record, locked] of [
        [IN_STEP, true],
        [REFUSED, false],
      ] as const) {
        writeOutcome(paths, record, locked);
        assert.deepEqual(readOutcome(paths), { outcome: record });
        assert.deepEqual(readdirSync(paths.directory), ['Data.fs.outcome']);
      }
    }));

  it('is a named problem when it is a link, a directory or too long, and a link is replaced, not followed', () =>
    withSlave((paths) => {
      const elsewhere = join(paths.directory, 'elsewhere');
      writeFileSync(elsewhere, formatOutcome(IN_STEP));
      symlinkSync(elsewhere, paths.outcome);
      const problemOf = () => {
        const file = readOutcome(paths);
        return 'problem' in file ? file.problem : '';
      };
      assert.match(problemOf(), /Data\.fs\.outcome/);
      writeOutcome(paths, REFUSED, true);
      assert.deepEqual(readOutcome(paths), { outcome: REFUSED });
      assert.equal(readFileSync(elsewhere, 'utf8'), formatOutcome(IN_STEP));
      writeFileSync(paths.outcome, 'x'.repeat(10_000));
      assert.match(problemOf(), /Data\.fs\.outcome/);
      rmSync(paths.outcome);
      mkdirSync(paths.outcome);
      assert.match(problemOf(), /Data\.fs\.outcome/);
    }));

  it('has the time in step; without one the .dat has it, and with an unusable one it is unknown', () =>
    withSlave((paths) => {
      assert.equal(lastInStep(paths), undefined);
      writeFileSync(paths.dat, '');
      const seconds = Math.floor(AT / 1000);
      utimesSync(paths.dat, seconds, seconds);
      assert.equal(lastInStep(paths), seconds * 1000);
      writeOutcome(paths, { ...REFUSED, inStep: AT - MINUTE }, true);
      assert.equal(lastInStep(paths), AT - MINUTE);
      writeFileSync(paths.outcome, '');
      assert.equal(lastInStep(paths), undefined);
    }));
});
