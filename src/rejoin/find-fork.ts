import { MAGIC_LENGTH } from '../filestorage/layout.js';
import type { Against } from '../lineage/against.js';
import { compare } from '../lineage/compare.js';
import { NOTHING_YET } from '../pipeline/chunk-table.js';
import { hasTransactionsOf } from '../pipeline/chunk-transactions.js';
import type { ReadDeadline } from '../pipeline/read-deadline.js';
import type { Resume } from '../pipeline/resume.js';
import { readableEnd, upTo } from '../pipeline/scan.js';
import { formatCount } from '../report/numbers.js';
import { EXIT } from '../round/exit.js';
import type { ChunkLine, Dat } from '../standby/dat.js';
import type { RoleFacts, TermLine } from '../standby/role.js';
import { forkLine } from './fork.js';
import { type BothSides, goesOn, prove } from './proof.js';
import { RejoinRefusal } from './refusal.js';
import type { Serving } from './serving.js';
import { areStillCommon } from './still-common.js';

/** The place up to which both sides are proved to be equal, and how. */
export interface Fork {
  readonly resume: Resume;
  /** For people. */
  readonly how: string;
}

export interface ForkRequest extends BothSides {
  readonly serving: Serving;
  readonly own: RoleFacts;
  /** The slave's `.dat`, where it describes the slave's file. */
  readonly dat: Dat | undefined;
  /** That of MASTER, where it describes MASTER's file. */
  readonly theirs: Dat | undefined;
  readonly deadline: ReadDeadline;
  /** Reports what is about to be done, where it takes long. */
  readonly say: (text: string) => void;
}

/**
 * Finds the fork: by the terms, by the slave's own claim about this master, or by the bytes of both files. Throws a RejoinRefusal
 * where there is none that the slave could be rewound to.
 */
export async function findFork(request: ForkRequest): Promise<Fork> {
  const { serving, own, master, say } = request;
  const line = forkLine(serving.role, own);
  const claimed = claimAbout(request);
  if (line && line.position <= master.size) return byTerm(line, request.theirs ?? claimed, request);
  if (!line && claimed) {
    const proof = await prove(request, claimed.chunks, undefined);
    if (proof.kind === 'equal')
      return { resume: proof.resume, how: 'by what was copied from MASTER before, and the bytes behind it' };
  }
  say(`the terms show no fork: all of both files is read (${formatCount(master.size, 'byte')} of MASTER)`);
  return byLineage(request);
}

async function byTerm(line: TermLine, dat: Dat | undefined, request: ForkRequest): Promise<Fork> {
  const { say, slave, master } = request;
  const { position, term } = line;
  const chunks = dat?.chunks ?? [];
  const recordedBy = `the hashes that ${dat === request.theirs ? 'MASTER' : 'SLAVE'} has recorded`;
  const known = chunks.findLast(({ end }) => end <= position)?.end ?? MAGIC_LENGTH;
  const unknown = Math.min(position, slave.size) - known;
  if (unknown > 0) say(`${formatCount(unknown, 'byte')} of MASTER are compared: no .dat has a hash of them`);
  const proof = await prove(request, chunks, position);
  if (proof.kind === 'equal') {
    const how = `by term ${term}, and ${proof.hashed > MAGIC_LENGTH ? recordedBy : 'the bytes of both'}`;
    if (proof.resume.position < position || !(await goesOn(request, position))) return { resume: proof.resume, how };
    // MASTER's copy of a line is missing here: the histories went on together behind it.
    const further = await prove(request, proof.resume.chunks, undefined);
    if (further.kind === 'equal') return { resume: further.resume, how: `${how}; both go on together behind it` };
  } else {
    await refuseDamaged(
      chunks.find(({ start, end }) => start === proof.from && end === proof.to),
      request,
    );
    const where = `bytes ${proof.from} to ${proof.to} of SLAVE are not those of MASTER, below the start of term ${term}`;
    say(`${where}: all of both files is read (${formatCount(master.size, 'byte')} of MASTER)`);
  }
  return byLineage(request);
}

/** Throws a RejoinRefusal where a chunk of the slave has the transactions that were copied, with other bytes. */
async function refuseDamaged(chunk: ChunkLine | undefined, { slave, master, windows }: ForkRequest): Promise<void> {
  if (!chunk || !(await hasTransactionsOf(chunk, slave, master, windows[0]))) return;
  const { start, end } = chunk;
  const reason = `${slave.path} is damaged: its bytes ${start} to ${end} are not those that were copied between the two`;
  throw new RejoinRefusal(reason, `'syncpozo verify' says more; ${costOf(master, slave)}`, EXIT.damaged);
}

function costOf(master: { readonly path: string; readonly size: number }, slave: { readonly path: string }): string {
  return `with --full, all of ${master.path} is copied (${formatCount(master.size, 'byte')}); what only ${slave.path} has is kept first`;
}

/** The slave's claim, if it was copied from the file that is MASTER now. */
function claimAbout({ dat, master }: ForkRequest): Dat | undefined {
  const { device, inode } = master.facts;
  return dat?.master.device === device && dat.master.inode === inode && dat.claim.position <= master.size
    ? dat
    : undefined;
}

async function byLineage(request: ForkRequest): Promise<Fork> {
  const { slave, chunkBytes, windows } = request;
  const against = await judgeLineage(request);
  const { lineage, equalUpTo, sides } = against;
  const isPlain = lineage === 'equal' || lineage === 'behind' || lineage === 'forked' || lineage === 'ahead';
  const isAtFork = sides.common === undefined || sides.common.slaveEnd === equalUpTo;
  if (lineage === 'ahead' && !request.serving.role) throw aheadOfPlain(request);
  if (!isPlain || !isAtFork || equalUpTo <= MAGIC_LENGTH) throw refusalOf(against, request);
  if (lineage === 'forked' && (await isNoFork(against, request))) {
    const differs = (against.verdict?.findings.differenceCount ?? 0) > 0;
    throw refusalOf({ ...against, lineage: differs ? 'rotten' : 'packed' }, request);
  }
  // Both are equal up to there, so the slave's own bytes show the chunks.
  const here = upTo(slave, equalUpTo);
  const { position, tid, chunks, tailState } = await compare(here, here, NOTHING_YET, chunkBytes, windows);
  return { resume: { position, tid, chunks, tailState }, how: 'by the bytes of both files' };
}

async function isNoFork({ equalUpTo, masterEnd }: Against, { slave, master, windows }: ForkRequest): Promise<boolean> {
  const here = { source: slave, end: await readableEnd(slave, windows[0]) };
  return areStillCommon(here, { source: master, end: masterEnd }, equalUpTo);
}

/** What MASTER is to SLAVE. Reads both files completely. */
export async function judgeLineage(request: ForkRequest): Promise<Against> {
  const { slave, master, chunkBytes, deadline, windows, serving, dat, theirs } = request;
  const recorded = dat ?? theirs;
  const { findAgainst } = await import('../lineage/against.js');
  return findAgainst({
    file: slave,
    end: await readableEnd(slave, windows[0]),
    sound: false,
    chunks: recorded?.chunks ?? [],
    master,
    chunkBytes,
    deadline,
    windows,
    terms: serving.role?.terms ?? [],
  });
}

function aheadOfPlain({ master, slave }: ForkRequest): RejoinRefusal {
  return new RejoinRefusal(
    `${slave.path} has all that ${master.path} has, and more, and no term says that ${master.path} serves`,
    'are the two swapped? Name the side that serves first',
  );
}

function refusalOf({ lineage, verdict, masterDamaged, sides }: Against, { master, slave }: ForkRequest): RejoinRefusal {
  const cost = costOf(master, slave);
  if (masterDamaged) {
    const reason = `${master.path} is damaged at position ${masterDamaged.position}: ${masterDamaged.message}`;
    return new RejoinRefusal(reason, "check it with 'syncpozo verify'; nothing was changed", EXIT.damaged);
  }
  const why = verdict?.reason === undefined || verdict.reason === '' ? '' : `: ${verdict.reason}`;
  switch (lineage) {
    case 'rotten':
    case 'damaged': {
      const reason = `the two have other bytes in the same transaction${why}`;
      const hint = `'syncpozo verify' of each of them says which is damaged. If ${slave.path} is: ${cost}`;
      return new RejoinRefusal(reason, hint, EXIT.damaged);
    }
    case 'unrelated': {
      const reason = `${master.path} and ${slave.path} have nothing in common: they are two sites`;
      return new RejoinRefusal(reason, `is MASTER the right directory? Only if it is: ${cost}`);
    }
    case 'rewritten':
      return new RejoinRefusal(`a tool has rewritten one of the two${why}`, cost);
    case 'forked':
    case 'ahead':
      if (sides.common === undefined) {
        const reason = `${master.path} and ${slave.path} have no transaction in common: they are two sites, or a pack has left none`;
        return new RejoinRefusal(reason, `is MASTER the right directory? Only if it is: ${cost}`);
      }
      return new RejoinRefusal('one of the two has been packed since they had the same bytes', cost);
    default:
      return new RejoinRefusal(`one of the two has been packed since they had the same bytes${why}`, cost);
  }
}
