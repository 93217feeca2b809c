import { dirname, join } from 'node:path';
import { linkOrRename, makeDirectoryWith, syncDirectory } from '../io/directory.js';
import { type FileFacts, factsOfPath } from '../io/facts.js';
import { NotABlob } from './mistakes.js';

/** Gives a file another name beside its own, which nothing has. Returns it. */
export function keepReplaced(path: string): string {
  for (let number = 0; ; number++) {
    const kept = `${path}.replaced${number === 0 ? '' : `.${number}`}`;
    if (factsOfPath(kept) !== undefined) continue;
    linkOrRename(path, kept);
    return kept;
  }
}

/** Gives a blob of a tree a second name in the directory beside the tree that ends with .old, durably. */
export function linkAside(tree: string, relative: string, { mode, uid, gid }: FileFacts): void {
  const aside = `${tree}.old`;
  const directories = [aside];
  for (const component of dirname(relative).split('/')) directories.push(join(directories.at(-1) ?? aside, component));
  for (const directory of directories) {
    makeDirectoryWith(directory, { mode, uid, gid });
    if (factsOfPath(directory)?.kind !== 'directory')
      throw new NotABlob(directory, 'no directory', 'move it away: --keep-blobs keeps blobs there');
  }
  const target = join(aside, relative);
  if (factsOfPath(target) === undefined) linkOrRename(join(tree, relative), target);
  for (const directory of directories.reverse()) syncDirectory(directory);
  syncDirectory(dirname(aside));
}
