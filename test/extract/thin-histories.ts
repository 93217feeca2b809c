import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { keepLostBlobs } from '../../src/extract/lost-blobs.js';
import { type ThinFile, writeUnnamed } from '../../src/extract/thin-file.js';
import { OpenFile } from '../../src/io/open-file.js';
import { ReadDeadline } from '../../src/pipeline/read-deadline.js';
import { readableFile } from '../../src/pipeline/scan.js';
import { Window } from '../../src/pipeline/window.js';
import { inProject } from '../support/root.js';
import { python } from '../support/venv.js';

const SITE = inProject('test', 'extract', 'thin_site.py');

/** Counts; some are missing for a history with a transaction that ZODB's iterator does not pass. */
export type Judged = Partial<
  Record<'transactions' | 'committed' | 'objects' | 'excepted' | 'older' | 'blobs' | 'uncreated', number>
>;

function site(what: string, directory: string, seeds: readonly number[]): unknown {
  const args = [SITE, what, directory, ...seeds.map(String)];
  return JSON.parse(execFileSync(python(), args, { encoding: 'utf8', maxBuffer: 1 << 26 }));
}

/** Makes random histories below `directory`, and a thin file of the end of each, with its blobs. */
export async function exported(directory: string, seeds: readonly number[]): Promise<ThinFile[]> {
  const ranges = site('make', directory, seeds) as { from: number; end: number }[];
  const thin: ThinFile[] = [];
  for (const [index, { from, end }] of ranges.entries())
    thin.push(await exportOne(join(directory, String(seeds[index])), from, end));
  return thin;
}

async function exportOne(directory: string, from: number, end: number): Promise<ThinFile> {
  const file = OpenFile.openHere(join(directory, 'Data.fs'));
  try {
    const source = readableFile(file);
    const path = join(directory, 'lost.fs');
    // A small window: headers and records cross its borders.
    const window = new Window(1 << 16);
    const thin = { ...(await writeUnnamed({ source, from, end, owner: { mode: 0o640 }, window }, path)), path };
    const blobs = { tree: join(directory, 'blobs'), ids: thin.blobs, directory: join(directory, 'lost.blobs') };
    const kept = await keepLostBlobs({ ...blobs, deadline: new ReadDeadline(10) });
    assert.deepEqual(kept.missing, []);
    return thin;
  } finally {
    file.close();
  }
}

/** What real ZODB says. Throws where something is wrong. */
export function judge(directory: string, seeds: readonly number[]): Judged[] {
  return site('judge', directory, seeds) as Judged[];
}
