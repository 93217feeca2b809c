import { join } from 'node:path';
import { listDirectory } from '../io/directory.js';
import { factsOfPath, writtenAt } from '../io/facts.js';
import type { SlavePaths } from './paths.js';

/** Transactions that only this side had when it was rejoined: a file of their own, and its report for people. */
export interface LostFile {
  readonly path: string;
  /** undefined: the report is gone. */
  readonly report: string | undefined;
  /** As the name of the file has them: 16 hexadecimal digits. */
  readonly firstTid: string;
  readonly lastTid: string;
  /** Bytes. */
  readonly size: number;
  /** Last modification, in milliseconds since the epoch. */
  readonly writtenAt: number;
}

const NAME = /^(lost-([0-9a-f]{16})-([0-9a-f]{16})(?:-\d+)?)\.fs$/;

/** The files of lost transactions in the slave's directory, oldest transactions first. Storages in one directory share them. */
export function lostFiles({ directory }: Pick<SlavePaths, 'directory'>): readonly LostFile[] {
  const names = listDirectory(directory).sort();
  const there = new Set(names);
  return names.flatMap((name) => {
    const [, stem, firstTid = '', lastTid = ''] = NAME.exec(name) ?? [];
    const path = join(directory, name);
    const facts = stem === undefined ? undefined : factsOfPath(path);
    if (facts?.kind !== 'file') return [];
    const report = there.has(`${stem}.txt`) ? join(directory, `${stem}.txt`) : undefined;
    return [{ path, report, firstTid, lastTid, size: facts.size, writtenAt: writtenAt(facts) }];
  });
}
