import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { inProject } from '../../support/root.js';
import { python } from '../../support/venv.js';
import type { Host } from '../support/host.js';
import { oldestAge } from '../support/oracle.js';
import type { Pair } from '../support/pair.js';
import { isAcknowledged, isWrite, type Visit, type Write } from './visits.js';

/** What stock ZODB finds in one file; see oracle.py. */
export interface Content {
  readonly written: Readonly<Record<string, readonly string[]>>;
  readonly deleted: Readonly<Record<string, readonly string[]>>;
  readonly blobs: Readonly<Record<string, readonly string[]>>;
  readonly missing: readonly string[];
}

/** What the serving side has to show of an item. */
export interface Expected {
  readonly path: string;
  /** The write whose title, text or file it has; null: it is not there. */
  readonly id: number | null;
  readonly type: string;
  readonly sha256: string | null;
}

export interface Verdict {
  readonly acknowledged: number;
  readonly lost: readonly Write[];
  readonly expected: readonly Expected[];
}

/** Finds all that was acknowledged, on the side that serves or in a file of lost transactions of either side; and what items are now. */
export function accountOfPlone(pair: Pair, serving: Host, visits: readonly Visit[], cut?: number): Verdict {
  const zeo = pair.zeoOf(serving);
  const content = open(join(zeo, 'var', 'Data.fs'), join(zeo, 'blobs'));
  const lostFiles = pair.network.hosts.flatMap((host) => lostIn(pair.zeoOf(host)));
  const writes = visits.filter(isWrite);
  const acknowledged = writes.filter(isAcknowledged);
  const places = (write: Write): readonly Content[] => [content, ...lostFiles].filter((place) => has(place, write));
  const lost = acknowledged.filter((write) => !has(content, write));
  const age = cut === undefined ? '' : `, the oldest ${oldestAge(lost, cut).toFixed(1)} s before the cut`;
  pair.say(`acknowledged ${acknowledged.length}, lost ${lost.length}${age}`);
  assert.ok(acknowledged.length > 0, 'nothing was acknowledged: this scene proves nothing');
  assert.deepEqual(
    lost.filter((write) => places(write).length === 0),
    [],
    `acknowledged, and neither on ${serving.name} nor in a file of lost transactions`,
  );
  assert.deepEqual(
    acknowledged.filter((write) => write.sha256 !== undefined && !places(write).some(hasFileOf(write))),
    [],
    'acknowledged with a file that is not there byte for byte',
  );
  assert.deepEqual(
    [content, ...lostFiles].flatMap(({ missing }) => missing),
    [],
    'blobs without a file',
  );
  return { acknowledged: acknowledged.length, lost, expected: expectations(writes, (write) => has(content, write)) };
}

/** What items have to be where a pack may have removed what later writes have replaced; nothing of it was lost. */
export function expectedAfterPack(pair: Pair, serving: Host, visits: readonly Visit[]): readonly Expected[] {
  const zeo = pair.zeoOf(serving);
  const content = open(join(zeo, 'var', 'Data.fs'), join(zeo, 'blobs'));
  assert.deepEqual(content.missing, [], 'blobs without a file');
  const writes = visits.filter(isWrite);
  const isThere = (path: string): boolean =>
    writes.some((write) => write.path === path && write.kind !== 'delete' && has(content, write));
  const acknowledged = new Set<Write>(writes.filter(isAcknowledged));
  // Of a write without an answer nobody knows whether it was done. A pack removes the last trace of a deletion.
  return expectations(
    writes,
    (write) => acknowledged.has(write) || has(content, write) || (write.kind === 'delete' && !isThere(write.path)),
  );
}

/** What all items have to be after those of the writes that are `done`. */
function expectations(writes: readonly Write[], done: (write: Write) => boolean): readonly Expected[] {
  const items = new Map<string, Expected>();
  // An item has one writer, who waits for each answer: they are in their order.
  for (const write of writes.toSorted((a, b) => a.id - b.id)) {
    const { path, id, kind } = write;
    const before = items.get(path);
    const type = before?.type ?? kind;
    if (!done(write)) items.set(path, before ?? { path, id: null, type, sha256: null });
    else if (kind === 'delete') items.set(path, { path, id: null, type, sha256: null });
    else items.set(path, { path, id, type, sha256: write.sha256 ?? before?.sha256 ?? null });
  }
  return [...items.values()];
}

function has(place: Content, { id, kind, path }: Write): boolean {
  return kind === 'delete' ? place.deleted[path] !== undefined : place.written[id] !== undefined;
}

/** Whether a place has the file in the very transaction that has the title. */
function hasFileOf({ id, sha256 }: Write): (place: Content) => boolean {
  return ({ blobs, written }) => blobs[sha256 ?? '']?.some((tid) => written[id]?.includes(tid)) === true;
}

function open(data: string, blobs: string): Content {
  const oracle = inProject('test', 'cluster', 'plone', 'oracle.py');
  const done = spawnSync(python(), [oracle, data, blobs], { encoding: 'utf8', maxBuffer: 1 << 28 });
  if (done.status !== 0) throw new Error(`ZODB cannot read ${data}: ${done.stderr.slice(-2000)}`);
  return JSON.parse(done.stdout) as Content;
}

function lostIn(zeo: string): readonly Content[] {
  const directory = join(zeo, 'var');
  const names = existsSync(directory) ? readdirSync(directory) : [];
  return names
    .filter((name) => /^lost-.*\.fs$/.test(name))
    .map((name) => open(join(directory, name), join(directory, name.replace(/fs$/, 'blobs'))));
}
