import { type FileFacts, factsOfPath } from '../io/facts.js';
import { PathMistake, type SlavePaths } from '../standby/paths.js';

/** Refuses a slave that is the master's file under another name. Returns the slave's facts. */
export function refuseSameFile(
  theirs: FileFacts | undefined,
  paths: SlavePaths,
  hint = 'name the directory of the master first, then that of the slave',
): FileFacts | undefined {
  const ours = factsOfPath(paths.data);
  if (theirs && ours && theirs.device === ours.device && theirs.inode === ours.inode) {
    throw new PathMistake('MASTER and SLAVE are the same file', hint);
  }
  return ours;
}
