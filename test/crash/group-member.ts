import { readFileSync, statSync } from 'node:fs';
import type { Member } from '../../src/round/run-sync.js';
import { transactionEdges } from './edges.js';

/**
 * A storage of a group whose moment lies two transactions before the master's end. `ready`: the others are as far when it is;
 * otherwise they never are, and what it has written is dropped.
 */
export function memberOfGroup(masterFile: string, ready: boolean): Member {
  const bytes = readFileSync(masterFile);
  const [start = 0, end = 0] = transactionEdges(bytes).slice(-4);
  const tid = bytes.readBigUInt64BE(start);
  const { dev, ino } = statSync(masterFile, { bigint: true });
  return {
    place: async () => ({ device: String(dev), inode: String(ino), end, tid }),
    ready: async (reached) => ready && reached === tid,
    startsOver: () => false,
  };
}
