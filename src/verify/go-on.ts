import { bodyOffset, TRAILER_LENGTH, TRANSACTION_HEADER_LENGTH } from '../filestorage/layout.js';
import type { Problem, ProblemRule, Severity } from '../filestorage/problem.js';
import type { Stop } from '../filestorage/stop.js';
import { headerAt } from '../pipeline/records.js';
import type { Readable } from '../pipeline/scan.js';
import { agreedEnd, lengthAt, nextBoundary } from './next-boundary.js';
import type { PieceTask, Tail } from './piece.js';

export type BadStop = Exclude<Stop, { kind: 'end' | 'cut' }>;

export interface Resumption {
  /** Where transactions resume; undefined when there are none before the end of the file. */
  readonly next: number | undefined;
  readonly tail: Tail;
  readonly problem: Problem | undefined;
}

/** What a walk's stop means, and where another walk can resume after it. */
export async function resumeAfter(stop: BadStop, file: Readable, task: PieceTask): Promise<Resumption> {
  const { position } = stop;
  const { limit, claim } = task;
  const header = await headerAt(file, position, limit);
  const known = task.chunks.find(({ start }) => start > position)?.start ?? task.chunks.at(-1)?.end;
  const next = await nextBoundary(file, position, limit, known !== undefined && known > position ? known : undefined);
  const isLast = next === undefined || next >= limit;
  if (stop.kind === 'in-flight') {
    const isClaimed = position < claim && claim <= limit;
    const isFollowed = !isLast && (await agreedEnd(file, next, limit)) !== undefined;
    if (position >= claim || (!isFollowed && !isClaimed)) {
      return { next: undefined, tail: 'in-flight', problem: undefined };
    }
    const why = isFollowed ? `but others follow at ${next}` : 'but a sync has claimed it as committed';
    const message = `a transaction is marked as in flight (c), ${why}`;
    return { next: next ?? limit, tail: 'none', problem: problem(position + 16, 'status', message, 'truncated') };
  }
  if (stop.kind === 'damaged') {
    const { at, tid, rule, message } = stop;
    const severity = rule === 'transaction-length' ? await severityOfWrongHeader() : 'refused';
    return {
      next: isLast ? limit : next,
      tail: 'none',
      problem: { position: at, within: position, tid, rule, message, severity },
    };
  }
  return { next, tail: next === undefined ? 'torn' : 'none', problem: await torn() };

  async function torn(): Promise<Problem> {
    if (!header) {
      const message = `the file breaks off here: ${limit - position} bytes are no transaction header`;
      return problem(position, 'transaction-length', message, 'truncated');
    }
    const end = position + header.length + TRAILER_LENGTH;
    if (end > limit) {
      const message = `length ${header.length} leads beyond the end of the file at ${limit}`;
      const severity = header.status >= 0x80 ? 'refused' : 'truncated';
      return problem(position + 8, 'transaction-length', message, severity);
    }
    const severity = await severityOfWrongHeader();
    return problem(position, 'transaction-length', 'zeros stand in the place of a transaction header', severity);
  }

  /**
   * What ZODB's read_index does about a transaction shorter than its own header: if the file's last 8 bytes cannot be a
   * trailer of a later transaction, it treats the rest as the remains of a crash.
   */
  async function severityOfWrongHeader(): Promise<Severity> {
    if (!header || header.status >= 0x80 || header.length >= bodyOffset(header)) return 'refused';
    const last = await lengthAt(file, limit - TRAILER_LENGTH);
    return limit - last < position || last < TRANSACTION_HEADER_LENGTH ? 'truncated' : 'refused';
  }

  function problem(at: number, rule: ProblemRule, message: string, severity: Severity): Problem {
    return { position: at, within: position, tid: header?.tid ?? 0n, rule, message, severity };
  }
}
