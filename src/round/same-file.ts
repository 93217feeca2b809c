import { type FileFacts, factsOfPath } from '../io/facts.js';
import { PathMistake, type SlavePaths } from '../standby/paths.js';

/** Refuses to sync a file onto itself under another name. Returns the slave's facts. */
export function refuseSameFile(theirs: FileFacts | undefined, paths: SlavePaths): FileFacts | undefined {
  const ours = factsOfPath(paths.data);
  if (theirs && ours && theirs.device === ours.device && theirs.inode === ours.inode) {
    throw new PathMistake(
      'MASTER and SLAVE are the same file',
      'name the directory of the master first, then that of the slave',
    );
  }
  return ours;
}
