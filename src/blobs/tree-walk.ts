import { join } from 'node:path';
import type { Entry } from '../io/directory.js';
import { type BlobId, LAYOUT_FILE, oidOfDirectory, tidOfName } from './layout.js';

export type TreeEntry =
  | { readonly kind: 'blob'; readonly id: BlobId; readonly relative: string }
  /** `temporary`: ZODB's or this program's, of a transaction or a copy that is not complete. `foreign`: anything else. */
  | { readonly kind: 'temporary' | 'foreign'; readonly relative: string };

const BUSHY_LEVELS = 8;

/** Every entry of a blob directory that is no directory of blobs. Follows no link, and needs no layout. */
export async function* walkTree(
  root: string,
  list: (path: string) => Promise<readonly Entry[]>,
): AsyncGenerator<TreeEntry> {
  const waiting: (readonly string[])[] = [[]];
  for (let components = waiting.pop(); components; components = waiting.pop()) {
    const oid = oidOfDirectory(components);
    for (const { name, kind } of await list(join(root, ...components))) {
      const inside = [...components, name];
      const relative = inside.join('/');
      const tid = tidOfName(name);
      if (kind === 'directory') {
        if (/^0x[0-9a-f]{1,16}$/.test(name) && components.length < BUSHY_LEVELS) waiting.push(inside);
        else yield { kind: name === 'tmp' && components.length === 0 ? 'temporary' : 'foreign', relative };
      } else if (kind === 'file' && oid !== undefined && tid !== undefined) {
        yield { kind: 'blob', id: { oid, tid }, relative };
      } else if (!isOfZodb(inside)) {
        yield { kind: isTemporary(name) ? 'temporary' : 'foreign', relative };
      }
    }
  }
}

function isOfZodb(components: readonly string[]): boolean {
  return components.length === 1 && (components[0] === LAYOUT_FILE || components[0] === '.removed');
}

function isTemporary(name: string): boolean {
  return /^0x[0-9a-f]{2,16}\.(tmp-|blob\.syncpozo-tmp$)/.test(name);
}
