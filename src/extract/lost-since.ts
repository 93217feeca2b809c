import { MAGIC_LENGTH, RECORD_HEADER_LENGTH, readPosition, TLOC_OFFSET } from '../filestorage/layout.js';
import { ObjectIndex } from '../filestorage/object-index.js';
import { formatTid, tidToIso, ZERO_TID } from '../filestorage/tid.js';
import type { WalkEvents } from '../filestorage/walk-options.js';
import { withFile } from '../io/with-file.js';
import { headerAt } from '../pipeline/records.js';
import { type Readable, readableFile } from '../pipeline/scan.js';
import type { Window } from '../pipeline/window.js';
import type { LostObject, LostReport } from './lost-report.js';
import { type Range, validateRange } from './range.js';

const LOW_HALF = 0xffff_ffffn;

function halvesOf(oid: bigint): readonly [number, number] {
  return [Number(oid >> 32n), Number(oid & LOW_HALF)];
}

/** What the serving side has done with the lost objects since the fork. */
class Since {
  touched = 0;
  deleted = 0;
  sameOid = 0;
  /** Twice the position of the object's newest record, and 1 if that undoes its creation. */
  private readonly newest = new ObjectIndex();
  /** Objects that have no record before the fork. Only asked whether an object is among them. */
  private readonly created = new ObjectIndex();

  constructor(private readonly lost: ObjectIndex) {}

  add(position: number, oidHigh: number, oidLow: number, previous: number, isDeleted: boolean): void {
    if (this.lost.get(oidHigh, oidLow) === 0) return;
    const before = this.newest.set(oidHigh, oidLow, 2 * position + (isDeleted ? 1 : 0));
    this.deleted += (isDeleted ? 1 : 0) - (before % 2);
    if (before > 0) return;
    this.touched++;
    if (previous > 0) return;
    this.sameOid++;
    this.created.set(oidHigh, oidLow, position);
  }

  /** Position of an object's newest record; 0: it has none since the fork. */
  of(oid: bigint): { readonly position: number; readonly isDeleted: boolean; readonly isCreated: boolean } {
    const halves = halvesOf(oid);
    const newest = this.newest.get(...halves);
    return {
      position: Math.floor(newest / 2),
      isDeleted: newest % 2 === 1,
      isCreated: this.created.get(...halves) > 0,
    };
  }
}

/** Lost objects of which the serving side has a record of the time before the fork. Only asked whether an object is among them. */
type Before = ObjectIndex;

/**
 * The report with what the serving side has done since the fork.
 * @param serving its transactions since the fork, in any file that has them; there may be none
 * @param before where a pack may have removed objects, or the fork: its transactions of the time before
 */
export async function withServing(
  report: LostReport,
  serving: Range,
  window: Window,
  before?: Range,
): Promise<LostReport> {
  const lost = await objectsIn(report.file, window);
  const since = new Since(lost);
  await eachRecord(serving, window, (position, oidHigh, oidLow, previous, dataLength, backPointer) =>
    since.add(position, oidHigh, oidLow, previous, dataLength === 0 && backPointer === 0),
  );
  const old = before && (await amongLost(before, lost, window));
  const objects: LostObject[] = [];
  for (const object of report.objects)
    objects.push({ ...object, ...(await sinceOf(withoutGuess(object, old), since, old, serving.source)) });
  const gone = objects.filter(({ since: what, sinceTid }) => what === 'deleted' && sinceTid === null).length;
  const { touched } = since;
  const deleted = since.deleted + gone;
  const counts = {
    ...report.counts,
    createdHere: report.counts.createdHere - created(report.objects) + created(objects),
    unchanged: report.counts.objects - touched - gone,
    changed: touched - since.deleted,
    deleted,
    sameOid: old || report.truncated === false ? objects.filter(({ sameOid }) => sameOid).length : since.sameOid,
  };
  return { ...report, counts, objects };
}

function created(objects: readonly LostObject[]): number {
  return objects.filter(({ createdHere }) => createdHere).length;
}

/** An object that the serving side has had before the fork was not created here: a pack has removed its older records. */
function withoutGuess(object: LostObject, before: Before | undefined): LostObject {
  return before && isIn(before, object) ? { ...object, createdHere: false } : object;
}

async function eachRecord(range: Range, window: Window, onRecord: NonNullable<WalkEvents['onRecord']>): Promise<void> {
  if (range.from < range.end) await validateRange(range, window, { onRecord });
}

async function amongLost(range: Range, lost: ObjectIndex, window: Window): Promise<Before> {
  const before = new ObjectIndex();
  await eachRecord(range, window, (position, oidHigh, oidLow) => {
    if (lost.get(oidHigh, oidLow) !== 0) before.set(oidHigh, oidLow, position);
  });
  return before;
}

function isIn(objects: ObjectIndex, { oid }: LostObject): boolean {
  return objects.get(...halvesOf(BigInt(`0x${oid}`))) > 0;
}

/** The objects of the thin file. */
async function objectsIn(path: string, window: Window): Promise<ObjectIndex> {
  const objects = new ObjectIndex();
  await withFile(path, async (file) => {
    const source = readableFile(file);
    await validateRange({ source, from: MAGIC_LENGTH, end: source.size }, window, {
      onRecord: (position, oidHigh, oidLow) => void objects.set(oidHigh, oidLow, position),
    });
  });
  return objects;
}

type SinceFields = Pick<LostObject, 'createdHere' | 'since' | 'sinceTid' | 'sinceTime' | 'sameOid'>;

async function sinceOf(
  object: LostObject,
  since: Since,
  before: Before | undefined,
  source: Readable,
): Promise<SinceFields> {
  const { createdHere } = object;
  const { position, isDeleted, isCreated } = since.of(BigInt(`0x${object.oid}`));
  if (position === 0) {
    // What is in no record any more was removed by a pack.
    const what = before && !createdHere && !isIn(before, object) ? 'deleted' : 'unchanged';
    return { createdHere, since: what, sinceTid: null, sinceTime: null, sameOid: false };
  }
  const tid = await tidOfRecord(source, position);
  const what = isDeleted ? 'deleted' : 'changed';
  // The first record since the fork shows no older one after a pack either.
  const sameOid = isCreated && createdHere;
  return { createdHere, since: what, sinceTid: formatTid(tid), sinceTime: tidToIso(tid), sameOid };
}

async function tidOfRecord(source: Readable, position: number): Promise<bigint> {
  const header = new Uint8Array(RECORD_HEADER_LENGTH);
  await source.readBytes(header, position);
  const transaction = readPosition(new DataView(header.buffer), TLOC_OFFSET);
  return (await headerAt(source, transaction))?.tid ?? ZERO_TID;
}
