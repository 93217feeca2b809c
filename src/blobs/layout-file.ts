import { join } from 'node:path';
import type { Entry } from '../io/directory.js';
import { factsOfPath } from '../io/facts.js';
import { readSmallText } from '../io/replace.js';
import { PathMistake } from '../standby/paths.js';
import { LAYOUT_FILE, type Layout, pathOf } from './layout.js';
import { walkTree } from './tree-walk.js';

export const LONGEST_LAYOUT = 64;
const LAYOUTS = 'is this the blob directory of a ZEO server or a FileStorage? Their layouts are bushy and lawn';

/**
 * The layout in which the first blob lies that is found; undefined where there is none. Without the file .layout a server
 * that is started takes any directory that is used for a lawn; one that runs goes on with what it had.
 */
export async function layoutSeen(
  path: string,
  list: (path: string) => Promise<readonly Entry[]>,
): Promise<Layout | undefined> {
  for await (const entry of walkTree(path, list)) {
    if (entry.kind === 'blob') return entry.relative === pathOf(entry.id, 'lawn') ? 'lawn' : 'bushy';
  }
  return undefined;
}

/** The layout that the file .layout names. */
export function layoutOf(marker: string, path: string): Layout {
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
