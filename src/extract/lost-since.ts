import { MAGIC_LENGTH, RECORD_HEADER_LENGTH, readPosition, TLOC_OFFSET } from '../filestorage/layout.js';
import { ObjectIndex } from '../filestorage/object-index.js';
import { formatTid, tidToIso, ZERO_TID } from '../filestorage/tid.js';
import { withFile } from '../io/with-file.js';
import { headerAt } from '../pipeline/records.js';
import { type Readable, readableFile } from '../pipeline/scan.js';
import type { Window } from '../pipeline/window.js';
import type { LostObject, LostReport } from './lost-report.js';
import { type Range, validateRange } from './range.js';

const LOW_HALF = 0xffff_ffffn;

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
    const halves = [Number(oid >> 32n), Number(oid & LOW_HALF)] as const;
    const newest = this.newest.get(...halves);
    return {
      position: Math.floor(newest / 2),
      isDeleted: newest % 2 === 1,
      isCreated: this.created.get(...halves) > 0,
    };
  }
}

/**
 * The report with what the serving side has done since the fork.
 * @param serving its transactions since the fork, in any file that has them
 */
export async function withServing(report: LostReport, serving: Range, window: Window): Promise<LostReport> {
  const since = new Since(await objectsIn(report.file, window));
  await validateRange(serving, window, {
    onRecord: (position, oidHigh, oidLow, previous, dataLength, backPointer) =>
      since.add(position, oidHigh, oidLow, previous, dataLength === 0 && backPointer === 0),
  });
  const objects: LostObject[] = [];
  for (const object of report.objects) objects.push({ ...object, ...(await sinceOf(object, since, serving.source)) });
  const { touched, deleted, sameOid } = since;
  const unchanged = report.counts.objects - touched;
  const counts = { ...report.counts, unchanged, changed: touched - deleted, deleted, sameOid };
  return { ...report, counts, objects };
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

type SinceFields = Pick<LostObject, 'since' | 'sinceTid' | 'sinceTime' | 'sameOid'>;

async function sinceOf({ oid }: LostObject, since: Since, source: Readable): Promise<SinceFields> {
  const { position, isDeleted, isCreated } = since.of(BigInt(`0x${oid}`));
  if (position === 0) return { since: 'unchanged', sinceTid: null, sinceTime: null, sameOid: false };
  const tid = await tidOfRecord(source, position);
  const what = isDeleted ? 'deleted' : 'changed';
  return { since: what, sinceTid: formatTid(tid), sinceTime: tidToIso(tid), sameOid: isCreated };
}

async function tidOfRecord(source: Readable, position: number): Promise<bigint> {
  const header = new Uint8Array(RECORD_HEADER_LENGTH);
  await source.readBytes(header, position);
  const transaction = readPosition(new DataView(header.buffer), TLOC_OFFSET);
  return (await headerAt(source, transaction))?.tid ?? ZERO_TID;
}
