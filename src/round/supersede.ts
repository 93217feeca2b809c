import { resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { SlaveEvent } from '../events/event.js';
import { supersededEvent } from '../events/superseded-event.js';
import { milliseconds } from '../io/clock.js';
import { isBeingAsked, isOnRemoteMount, MountProbe } from '../io/mount.js';
import { readMasterRole } from '../pipeline/files-of-master.js';
import { ReadDeadline } from '../pipeline/read-deadline.js';
import { forShell } from '../report/quote.js';
import { Lock } from '../standby/lock.js';
import { fileOf, nameInDirectory, type SlavePaths, slavePaths, slaveSide } from '../standby/paths.js';
import { seenTerm } from '../standby/role.js';
import { isPromoted } from '../standby/role-file.js';
import { markSuperseded, termOfServing } from '../standby/superseded.js';
import { isForeseen } from './exit.js';
import { findSideOrFault } from './find-master.js';

/** A side that serves, and another one that has served in a higher term. */
export interface Superseded {
  readonly reason: string;
  readonly hint: string;
  /** undefined: it could not be marked, and the reason says so. */
  readonly event: SlaveEvent | undefined;
}

/** A round that has nothing else to do does not wait as long as one that copies. */
const MOST_SECONDS = 5;
const PAUSE_MS = 20;

/**
 * Compares the term of this side, which serves or may, with that of the other one, and marks this side if that is higher.
 * undefined: it is not, or that cannot be known now.
 */
export async function findSuperseded(
  paths: SlavePaths,
  master: string,
  deadline: ReadDeadline,
  storage: string | undefined,
): Promise<Superseded | undefined> {
  const terms = await higherTerm(paths, master, deadline);
  return terms && supersede(paths, master, terms.own, terms.theirs, storage);
}

/** The terms of both sides, where this one serves, or may, and the other one has served in a higher term. */
async function higherTerm(
  paths: SlavePaths,
  master: string,
  deadline: ReadDeadline,
): Promise<{ readonly own: number; readonly theirs: number } | undefined> {
  const own = termOfServing(paths);
  if (own === undefined) return undefined;
  const role = await readMasterRole(master, deadline);
  const theirs = role && 'facts' in role ? seenTerm(role.facts) : 0;
  return theirs > own ? { own, theirs } : undefined;
}

/** `own` and `theirs`: the terms of the two sides. Marks this one. */
export function supersede(
  paths: SlavePaths,
  peer: string,
  own: number,
  theirs: number,
  storage: string | undefined,
): Superseded {
  const said = `this side was superseded: its term is ${own}, and ${peer} has served in term ${theirs}`;
  const hint = `do not start ZEO here, and end it if it runs. 'syncpozo rejoin ${forShell(peer)} ${forShell(paths.data)}' makes a slave of this side, and keeps what only it has`;
  const marked = markSuperseded(paths, theirs);
  if (marked.kind === 'not marked')
    return { reason: `${said}; ${paths.role} could not be marked: ${marked.why}`, hint, event: undefined };
  const facts = { storage, slave: paths.data, peer, term: own, peerTerm: theirs, reason: said, hint };
  return { reason: said, hint, event: supersededEvent(facts, Date.now()) };
}

export interface SidesOfRound {
  readonly master: string;
  readonly slave: string;
  readonly file?: string | undefined;
  readonly storage?: string | undefined;
}

/** Whether this side was promoted, or is a plain one that is being served; false where that cannot be known. */
export function servesHere({ slave, file }: SidesOfRound): boolean {
  try {
    return isServed(slavePaths(slave, file));
  } catch (error) {
    if (isForeseen(error)) return false;
    throw error;
  }
}

function isServed(paths: SlavePaths): boolean {
  if (isPromoted(paths)) return true;
  return termOfServing(paths) !== undefined && Lock.probe(paths.lock)?.kind === 'other';
}

/** Mounts of other sides that have not answered. */
const waiting = new Map<string, MountProbe>();

/**
 * As findSuperseded, for a round that is switched off, as those of a promoted side are: it must not fail, and waits for the
 * other side as little as it can. In a process that goes on, one child at most waits for a mount that hangs.
 */
export async function findSupersededWhileOff(
  sides: SidesOfRound,
): Promise<(Superseded & { readonly paths: SlavePaths }) | undefined> {
  const found = await findHigherTerm(sides);
  if (!found) return undefined;
  const { paths, master, own, theirs } = found;
  return { ...supersede(paths, master, own, theirs, sides.storage), paths };
}

/** Whether findSupersededWhileOff would mark this side. Writes nothing. */
export async function isBeatenWhileOff(sides: SidesOfRound): Promise<boolean> {
  return (await findHigherTerm(sides)) !== undefined;
}

interface HigherTerm {
  readonly paths: SlavePaths;
  /** The other side's file. */
  readonly master: string;
  readonly own: number;
  readonly theirs: number;
}

async function findHigherTerm({ master, slave, file }: SidesOfRound): Promise<HigherTerm | undefined> {
  try {
    if (!servesHere({ master, slave, file }) || !(await answers(resolve(master)))) return undefined;
    const ours = slaveSide(slave, file);
    const deadline = new ReadDeadline(MOST_SECONDS);
    const theirs = await findSideOrFault(master, file, deadline, true);
    if (theirs.fault) return undefined;
    const paths = slavePaths(slave, file, theirs);
    const path = fileOf(theirs, nameInDirectory(file, ours));
    const terms = await higherTerm(paths, path, deadline);
    return terms && { paths, master: path, ...terms };
  } catch (error) {
    if (isForeseen(error)) return undefined;
    throw error;
  }
}

/** Whether a mount answers in time. */
async function answers(path: string): Promise<boolean> {
  if (!isOnRemoteMount(path)) return true;
  if (!waiting.has(path) && isBeingAsked(path)) return false;
  const probe = waiting.get(path) ?? new MountProbe(path);
  const isNew = !waiting.has(path);
  waiting.set(path, probe);
  const until = milliseconds() + (isNew ? MOST_SECONDS * 1000 : 0);
  while (!probe.hasAnswered() && milliseconds() < until) await pause(PAUSE_MS);
  const answered = probe.hasAnswered();
  if (answered) waiting.delete(path);
  return answered;
}
