import { join } from 'node:path';
import { factsOfPath } from '../io/facts.js';
import { readSmallText } from '../io/replace.js';
import { PathMistake } from '../standby/paths.js';
import { LAYOUT_FILE, type Layout } from './layout.js';

export const LONGEST_LAYOUT = 64;
const LAYOUTS = 'is this the blob directory of a ZEO server or a FileStorage? Their layouts are bushy and lawn';

/** The layout that ZODB would use. Without a marker it takes a directory that is used already for a lawn. */
export function layoutOf(marker: string | undefined, names: readonly string[], path: string): Layout {
  if (marker === undefined) return names.some((name) => !name.startsWith('.')) ? 'lawn' : 'bushy';
  const layout = marker.trim();
  if (layout === 'bushy' || layout === 'lawn') return layout;
  if (layout === 'zeocache') {
    throw new PathMistake(
      `${path} has the layout zeocache: it is the cache of a ZEO client, which does not have all blobs`,
      'name the blob directory of the ZEO server (its blob-dir)',
    );
  }
  throw noLayout(path, `it says ${JSON.stringify(layout.slice(0, LONGEST_LAYOUT))}`);
}

export function noLayout(directory: string, problem: string): PathMistake {
  return new PathMistake(`${join(directory, LAYOUT_FILE)} is no layout of blobs: ${problem}`, LAYOUTS);
}

/** The text of a slave's layout; undefined where there is none. Follows no link. */
export function readLayout(directory: string): string | undefined {
  const path = join(directory, LAYOUT_FILE);
  const facts = factsOfPath(path);
  if (facts && facts.kind !== 'file') throw noLayout(directory, `it is a ${facts.kind}`);
  if (facts && facts.size > LONGEST_LAYOUT) throw noLayout(directory, `it has ${facts.size} bytes`);
  return readSmallText(path, LONGEST_LAYOUT);
}
