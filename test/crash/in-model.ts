import { datOf, imageAt, nameOfDat, roleOf } from './beside.js';
import { blobProblem } from './blob-judge.js';
import type { Case } from './case.js';
import type { FileId } from './change.js';
import { transactionEdges } from './edges.js';
import { DATA, type History, INDEX, JOURNAL, ROLE, SCRUB } from './history.js';
import { datIn, digestOf, type Image } from './image.js';
import type { Disk } from './model-disk.js';

/** The changes of the record that precede a crash point. */
export type Made = (index: number) => boolean;

/** The states that a slave may show at a crash point; `state` is the actual one. */
export function mayShow(of: Case, history: History, made: Made, state: Disk): Uint8Array[] {
  const promised = history.publications.findLast(({ returnedAt }) => made(returnedAt));
  const floor = promised?.renamedAt ?? -1;
  const images = history.publications.filter(({ renamedAt }) => renamedAt >= floor).map(({ claimed }) => claimed);
  for (const { at, shown } of history.turns) if (at > floor) images.push(shown);
  if (!promised && of.shown) images.push(of.shown);
  const slave = imageAt(state, DATA)?.bytes;
  if (of.repairs && !promised && slave && isHalfRepaired(of, slave)) images.push(slave.subarray(0, of.shown?.length));
  return images;
}

/** Each byte is the one before the repair or the master's; as soon as anything follows them, all are the master's. */
function isHalfRepaired({ shown, generations }: Case, slave: Uint8Array): boolean {
  if (shown === undefined || slave.length < shown.length) return false;
  const master = generations.at(-1) ?? new Uint8Array();
  const repairing = slave.length === shown.length;
  return shown.every((byte, at) => slave[at] === master[at] || (repairing && slave[at] === byte));
}

/**
 * Judges a state without opening it (invariants 1, 2, 5 and 6): the claim is true and at a boundary; the `.dat` is complete,
 * not older than the last durable one and not newer than the last written one; the slave exists; owner and mode are set;
 * data that exists nowhere else still exists.
 */
export function inModelProblem(of: Case, history: History, made: Made, state: Disk): string | undefined {
  return (
    datProblem(of, history, made, state) ??
    claimProblem(of, made, state) ??
    slaveProblem(of, history, made, state) ??
    swapProblem(history, state) ??
    roleProblem(of, history, made, state) ??
    termProblem(of, state) ??
    attributesProblem(history, state) ??
    indexProblem(history, made, state) ??
    keptProblem(of, state) ??
    scrubProblem(of, state) ??
    journalProblem(history, made, state) ??
    (of.blobs && blobProblem(of.blobs, state))
  );
}

function datProblem(of: Case, history: History, made: Made, state: Disk): string | undefined {
  const image = datOf(state);
  const promised = history.publications.findLastIndex(({ returnedAt }) => made(returnedAt));
  const file = state.names.get(DATA);
  const allowed = history.publications.filter(
    ({ renamedAt, bySwap, slave }, index) => index >= promised && made(renamedAt) && (!bySwap || slave === file),
  );
  const before = datOf(of.start);
  if (promised < 0) {
    if (image === undefined) return before && 'the .dat is gone (invariant 5)';
    if (before && digestOf(image) === digestOf(before)) return undefined;
  }
  if (image === undefined) return 'the .dat that was promised is gone (invariant 5)';
  const same = (one: Image): boolean => Buffer.compare(one.bytes, image.bytes) === 0;
  if (allowed.some(({ dat }) => same(dat))) return undefined;
  const dat = datIn(image);
  return dat
    ? `the .dat claims ${dat.claim.position}, which is not what was promised (invariant 5)`
    : 'the .dat is neither the old one nor the new one (invariant 5)';
}

function claimProblem(of: Case, made: Made, state: Disk): string | undefined {
  const file = state.names.get(DATA);
  const image = imageAt(state, DATA);
  const dat = datOf(state);
  const known = dat && datIn(dat);
  if (!known || !image || Number(known.slaveInode) !== file) return undefined;
  const isRepaired = of.reportsRepairs && made(of.changes.length - 1);
  if (of.claimBroken && !isRepaired && digestOf(dat) === digestOf(datOf(of.start) ?? dat)) return undefined;
  const { position } = known.claim;
  const bytes = image.bytes.subarray(0, position);
  if (bytes.length < position) return `the slave has ${bytes.length} bytes of the ${position} claimed (invariant 1)`;
  const generation = of.generations.find((each) => startsWith(each, bytes));
  if (!generation) return `the slave's first ${position} bytes are not the master's, but claimed (invariant 1)`;
  return transactionEdges(generation).includes(position) ? undefined : `${position} is no boundary (invariant 2)`;
}

function slaveProblem(of: Case, history: History, made: Made, state: Disk): string | undefined {
  const promised = history.publications.some(({ returnedAt }) => made(returnedAt));
  if (state.names.has(DATA) || (of.movesAside && !promised)) return undefined;
  return of.start.names.has(DATA) || promised ? 'the slave is gone (invariant 6)' : undefined;
}

/** A rebuilt file never stands at the slave's path without a `.dat` that describes it. */
function swapProblem(history: History, state: Disk): string | undefined {
  const file = state.names.get(DATA);
  if (!history.publications.some(({ bySwap, slave }) => bySwap && slave === file)) return undefined;
  const dat = datOf(state);
  const known = dat && datIn(dat);
  return known && Number(known.slaveInode) === file ? undefined : 'a rebuilt slave has no .dat that describes it';
}

/** The role file is complete, not older than the last durable one, and never missing. */
function roleProblem(of: Case, { roles }: History, made: Made, state: Disk): string | undefined {
  const image = imageAt(state, ROLE);
  const promised = roles.findLastIndex(({ returnedAt }) => made(returnedAt));
  const before = imageAt(of.start, ROLE);
  if (promised < 0 && image === undefined && before === undefined) return undefined;
  if (image === undefined) return 'the role file is gone';
  const allowed = roles.filter(({ at }, index) => index >= promised && made(at)).map(({ role }) => role);
  if (promised < 0 && before) allowed.push(before);
  const isAllowed = allowed.some(({ bytes }) => Buffer.compare(bytes, image.bytes) === 0);
  return isAllowed ? undefined : 'the role file is neither the one before nor the one that was promised';
}

/** A claim includes transactions of a term only if the role file has seen the term. */
function termProblem({ terms }: Case, state: Disk): string | undefined {
  const dat = datOf(state);
  const known = dat && datIn(dat);
  if (!known || Number(known.slaveInode) !== state.names.get(DATA)) return undefined;
  const begun = terms.filter(({ tid }) => known.claim.tid > tid);
  const seen = roleOf(state)?.terms ?? [];
  const unseen = begun.find(({ term }) => !seen.some((line) => line.term === term));
  return unseen && `transactions of term ${unseen.term} are claimed, which the role file has not seen`;
}

function attributesProblem(history: History, state: Disk): string | undefined {
  for (const name of [DATA, nameOfDat(state), ROLE]) {
    const file: FileId | undefined = state.names.get(name);
    const given = file === undefined ? 0 : (history.attributes.get(file) ?? 0);
    if ((imageAt(state, name)?.attributes ?? 0) < given) return `${name} has lost its owner or mode`;
  }
  return undefined;
}

/** A full scrub is recorded only when its repairs are durable. */
function scrubProblem(of: Case, state: Disk): string | undefined {
  const noted = imageAt(state, SCRUB);
  const before = imageAt(of.start, SCRUB);
  if (!noted || (before && digestOf(noted) === digestOf(before))) return undefined;
  if (!/\nfull \d.*\n$/.test(Buffer.from(noted.bytes).toString('latin1'))) return undefined;
  const slave = imageAt(state, DATA)?.bytes ?? new Uint8Array();
  const isRight = of.generations.some((each) => startsWith(each, slave));
  return isRight ? undefined : 'a full scrub is noted, and what it has repaired is wrong again';
}

/** An index stays once the call that wrote it has returned; FileStorage judges its content. */
function indexProblem({ indexes }: History, made: Made, state: Disk): string | undefined {
  const last = indexes.findLast(({ at }) => made(at));
  if (!last?.index || last.returnedAt < 0 || !made(last.returnedAt)) return undefined;
  const there = imageAt(state, INDEX);
  return there && digestOf(there) === digestOf(last.index) ? undefined : 'the index that was promised is gone';
}

/** What a journal of blobs has noted stays, so that a copy of everything need not start over. */
function journalProblem({ journals }: History, made: Made, state: Disk): string | undefined {
  const noted = journals.findLast(({ at }) => made(at))?.bytes;
  if (!noted) return undefined;
  const there = imageAt(state, JOURNAL)?.bytes ?? new Uint8Array();
  return startsWith(there, noted) ? undefined : 'what the journal of the blobs had noted is gone';
}

function keptProblem({ kept }: Case, state: Disk): string | undefined {
  if (!kept) return undefined;
  const there = [...state.images.values()].some(({ bytes }) => startsWith(bytes, kept.bytes));
  return there ? undefined : "the slave's own transactions are gone, which exist nowhere else";
}

export function startsWith(bytes: Uint8Array, head: Uint8Array): boolean {
  return bytes.length >= head.length && Buffer.compare(bytes.subarray(0, head.length), head) === 0;
}
