import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { inProject } from '../../support/root.js';
import { python } from '../../support/venv.js';
import { isAcknowledged, type Noted, type Request } from './requests.js';

/** What stock ZODB finds in one file; see oracle.py. */
export interface Content {
  readonly ids: ReadonlyMap<number, readonly string[]>;
  readonly blobs: ReadonlySet<number>;
  readonly wrong: ReadonlySet<number>;
  readonly ghosts: readonly number[];
  /** The ids that the site has now; only of a whole Data.fs. */
  readonly current: ReadonlySet<number>;
  readonly last: string;
}

interface Printed {
  readonly ids: Record<string, readonly string[]>;
  readonly blobs: readonly number[];
  readonly wrong: readonly number[];
  readonly ghosts: readonly number[];
  readonly current: readonly number[] | null;
  readonly last: string | null;
}

function open(kind: 'whole' | 'lost', data: string, blobs: string): Content {
  const oracle = inProject('test', 'cluster', 'support', 'oracle.py');
  const done = spawnSync(python(), [oracle, kind, data, blobs], { encoding: 'utf8', maxBuffer: 1 << 28 });
  if (done.status !== 0) throw new Error(`ZODB cannot read ${data}: ${done.stderr.slice(-2000)}`);
  const printed = JSON.parse(done.stdout) as Printed;
  return {
    ids: new Map(Object.entries(printed.ids).map(([id, tids]) => [Number(id), tids])),
    blobs: new Set(printed.blobs),
    wrong: new Set(printed.wrong),
    ghosts: printed.ghosts,
    current: new Set(printed.current ?? []),
    last: printed.last ?? '',
  };
}

/** The content of a host's instance, of which `zeo` is the directory as it is seen from outside. */
export function contentOf(zeo: string): Content {
  return open('whole', join(zeo, 'var', 'Data.fs'), join(zeo, 'blobs'));
}

/** The contents of every file of lost transactions there. */
export function lostIn(zeo: string): readonly Content[] {
  const directory = join(zeo, 'var');
  if (!existsSync(directory)) return [];
  const files = readdirSync(directory).filter((name) => /^lost-.*\.fs$/.test(name));
  return files.map((name) => open('lost', join(directory, name), join(directory, name.replace(/fs$/, 'blobs'))));
}

export interface Verdict {
  readonly acknowledged: number;
  readonly served: number;
  /** Acknowledged, not on the serving side, but in a file of lost transactions. */
  readonly lost: readonly Request[];
  /** Acknowledged, and nowhere: what must never be. */
  readonly missing: readonly Request[];
  /** Acknowledged under another tid than the one that was found. */
  readonly altered: readonly Request[];
  /** Acknowledged with a blob that is not there byte for byte. */
  readonly withoutBlob: readonly Request[];
}

/** Where is everything that the site has acknowledged to its visitors? */
export function judge(requests: readonly Request[], serving: Content, lost: readonly Content[]): Verdict {
  const acknowledged = requests.filter(isAcknowledged);
  const isServed = ({ id }: Request): boolean => serving.ids.has(id) && serving.current.has(id);
  const places = ({ id }: Request): readonly Content[] => [serving, ...lost].filter((content) => content.ids.has(id));
  return {
    acknowledged: acknowledged.length,
    served: acknowledged.filter(isServed).length,
    lost: acknowledged.filter((request) => !isServed(request) && lost.some(({ ids }) => ids.has(request.id))),
    missing: acknowledged.filter((request) => !isServed(request) && !lost.some(({ ids }) => ids.has(request.id))),
    altered: acknowledged.filter(
      (request) => !places(request).some(({ ids }) => ids.get(request.id)?.includes(request.tid ?? '') === true),
    ),
    withoutBlob: acknowledged.filter(
      (request) => request.kind === 'blob' && !places(request).some(({ blobs }) => blobs.has(request.id)),
    ),
  };
}

/** How long before `cut` the oldest of them was acknowledged to its visitor, in seconds; 0: none was. */
export function oldestAge(lost: readonly Noted[], cut: number): number {
  return Math.max(0, ...lost.map(({ end }) => cut - end));
}
