import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ObjectIndex } from '../../src/filestorage/object-index.js';
import { IndexBuilder } from '../../src/index/builder.js';
import { RecordTape } from '../../src/pipeline/record-tape.js';
import { entriesOf } from '../support/indexes.js';
import { Random } from '../support/random.js';

const MAGIC_LENGTH = 4;
const RECORD = 100;
/** Bytes of a tape's entry. */
const ENTRY = 32;

interface Reported {
  readonly high: number;
  readonly low: number;
  readonly previous?: number;
}

/** Reports transactions of consecutive records of 100 bytes from `position` on. */
class Reporter {
  readonly tape: RecordTape;
  position = MAGIC_LENGTH;

  constructor(
    readonly builder: IndexBuilder,
    pieceBytes = 1 << 20,
  ) {
    this.tape = new RecordTape(pieceBytes, (piece) => builder.take(piece));
  }

  transaction(records: readonly Reported[]): void {
    const start = this.position;
    this.records(records);
    this.tape.events.onTransaction?.(start, this.position - start - 8, 1n, 0x20);
  }

  /** Leaves out the transaction's end. */
  records(records: readonly Reported[]): void {
    for (const { high, low, previous } of records) {
      this.tape.events.onRecord?.(this.position, high, low, previous ?? 0, 50, 0);
      this.position += RECORD;
    }
  }
}

function some(random: Random): Reported[] {
  return Array.from({ length: random.below(8) }, () => ({ high: random.below(2), low: random.below(2 ** 32) }));
}

describe('an index builder', () => {
  it('builds from a tape what a map builds from its transactions, however the tape is divided', () => {
    for (const entries of [1, 2, 3, 7, 1000]) {
      const random = new Random(entries);
      const reporter = new Reporter(new IndexBuilder(), entries * ENTRY);
      const due = new ObjectIndex();
      for (let transaction = 0; transaction < 200; transaction++) {
        const records = some(random);
        for (const [n, { high, low }] of records.entries()) due.set(high, low, reporter.position + n * RECORD);
        reporter.transaction(records);
      }
      reporter.tape.flush();
      const { index, end, spoiled, contradicted } = reporter.builder;
      assert.deepEqual(entriesOf(index), entriesOf(due));
      assert.deepEqual([end, spoiled, contradicted], [reporter.position, false, false]);
    }
  });

  it('drops the records of an incomplete transaction', () => {
    for (const entries of [1, 2, 1000]) {
      const reporter = new Reporter(new IndexBuilder(), entries * ENTRY);
      reporter.transaction([{ high: 0, low: 1 }]);
      const { position } = reporter;
      reporter.records([
        { high: 0, low: 1 },
        { high: 0, low: 2 },
      ]);
      reporter.tape.flush();
      reporter.builder.goBackTo();
      reporter.transaction([{ high: 0, low: 3 }]);
      reporter.tape.flush();
      assert.deepEqual(entriesOf(reporter.builder.index), [
        { high: 0, low: 1, position: MAGIC_LENGTH },
        { high: 0, low: 3, position: position + 2 * RECORD },
      ]);
      assert.equal(reporter.builder.spoiled, false);
    }
  });

  it('is spoiled by an incomplete transaction of more than a million records, and not by a complete one', () => {
    for (const breaksOff of [false, true]) {
      const reporter = new Reporter(new IndexBuilder());
      const many = Array.from({ length: (1 << 20) + 10_000 }, (_, low) => ({ high: 0, low }));
      if (breaksOff) reporter.records(many);
      else reporter.transaction(many);
      reporter.tape.flush();
      reporter.builder.goBackTo();
      assert.equal(reporter.builder.spoiled, breaksOff);
      if (!breaksOff) assert.equal(reporter.builder.index.size, many.length);
    }
  });

  it('detects a record whose previous record differs from the index that it started from', () => {
    for (const [previous, contradicted] of [
      [104, false],
      [204, true],
      [0, false],
    ] as const) {
      const index = new ObjectIndex();
      index.set(7, 8, 104);
      const reporter = new Reporter(new IndexBuilder(index, 1004));
      reporter.position = 1004;
      reporter.transaction([
        { high: 7, low: 8, previous },
        { high: 7, low: 8, previous },
      ]);
      reporter.tape.flush();
      assert.equal(reporter.builder.contradicted, contradicted);
      assert.equal(index.get(7, 8), 1104);
    }
  });
});
