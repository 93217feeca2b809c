import { MAGIC_LENGTH } from '../filestorage/layout.js';
import { ObjectIndex } from '../filestorage/object-index.js';
import { Problems } from '../filestorage/problem.js';
import { RecordSum } from '../filestorage/record-sum.js';
import type { IndexCheck } from '../index/check.js';
import type { Judge } from './judge.js';
import { KeptRecords } from './kept-records.js';
import type { PieceFacts } from './piece.js';
import { PreviousPointers } from './previous-pointers.js';

/** Four times the range that a sync leaves uncovered by its index. */
const LONGEST_REST = 1 << 28;

/** The sums do not prove that everything is correct; it may be correct nevertheless. */
export class Unproved extends Error {}

/**
 * Proves previous pointers and index against each other, without building an index. Up to the end of what the index
 * covers it compares their sums (see PointerBalance); after it, it checks record by record, from the entries of the
 * index.
 *
 * Invariant: it never reports a problem. Where it cannot prove correctness it throws Unproved, and the exact judge has
 * to decide.
 */
export class QuickJudge implements Judge {
  readonly requested = 'balance';
  readonly indexState = 'right';
  readonly records = new KeptRecords();
  objects = 0;
  private readonly balance = new RecordSum();
  private readonly entries = new RecordSum();
  private covered = false;
  private indexMatches: Promise<boolean> | undefined;

  private constructor(
    private readonly indexCheck: IndexCheck,
    private readonly size: number,
  ) {}

  /** undefined: no index can prove most of a file of this size. */
  static of(indexCheck: IndexCheck | undefined, size: number): QuickJudge | undefined {
    if (!indexCheck || indexCheck.problem || indexCheck.end <= MAGIC_LENGTH) return undefined;
    const rest = size - indexCheck.end;
    return rest < 0 || rest > LONGEST_REST ? undefined : new QuickJudge(indexCheck, size);
  }

  /** Reads an index that covers the whole file in parallel with the file. */
  async begin(): Promise<void> {
    if (this.indexCheck.end < this.size) return;
    this.indexMatches = this.indexCheck.report({ set: (high, low, position) => this.entries.add(high, low, position) });
    // `finish` awaits it and gets the error.
    this.indexMatches.catch(() => {});
  }

  take(): Problems {
    return new Problems();
  }

  async piece({ start, end, balance }: PieceFacts): Promise<void> {
    const covers = this.indexCheck.end;
    if (start >= covers) {
      if (this.records.incomplete) throw new Unproved();
      return;
    }
    if (!balance || end > covers) throw new Unproved();
    this.balance.addSum(balance);
    this.covered = end === covers;
  }

  async finish(): Promise<void> {
    if (!this.covered) throw new Unproved();
    const rest = new ObjectIndex();
    const complete = await (this.indexMatches ?? this.compareRest(rest));
    if (!complete || !this.entries.equals(this.balance)) throw new Unproved();
    const before = rest.size;
    const pointers = new PreviousPointers(rest, this.indexCheck.end);
    this.records.report(pointers);
    if (pointers.take().count > 0) throw new Unproved();
    this.objects = this.entries.count + rest.size - before;
  }

  async settle(): Promise<void> {
    await this.indexMatches?.catch(() => {});
  }

  /** Reads the index; copies into `rest` its entries of the objects that have records beyond what it covers. */
  private compareRest(rest: ObjectIndex): Promise<boolean> {
    const objects = this.records.objects();
    return this.indexCheck.report({
      set: (high, low, position) => {
        this.entries.add(high, low, position);
        if (objects.has(high, low)) rest.set(high, low, position);
      },
    });
  }
}
