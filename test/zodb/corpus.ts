import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { inProject } from '../support/root.js';
import { python } from '../support/venv.js';

/** Every state that the Data.fs files of ZODB's own storage tests went through, with ZODB's own reading of each. */
export interface State {
  readonly after: 'open' | 'vote' | 'finish' | 'abort' | 'pack' | 'pack:before';
  readonly bytes: Buffer;
  /** The end that ZODB's `read_index` finds; undefined if it refuses the file. */
  readonly committedEnd: number | undefined;
}

export interface Sequence {
  readonly name: string;
  readonly states: readonly State[];
}

interface Described {
  test: string;
  name: string;
  states: { file: string; after: State['after']; committedEnd?: number; error?: string }[];
}

const ARCHIVE = inProject('test', 'fixtures', 'corpus', 'states.tar.xz');
const UNPACK = 'import sys, tarfile; tarfile.open(sys.argv[1]).extractall(sys.argv[2], filter="data")';

/** Unpacks the corpus into a directory and reads it. */
export function loadCorpus(directory: string): Sequence[] {
  const unpacked = spawnSync(python(), ['-c', UNPACK, ARCHIVE, directory], { encoding: 'utf8' });
  if (unpacked.status !== 0) throw new Error(`the corpus was not unpacked: ${unpacked.stderr}`);
  const described = JSON.parse(readFileSync(join(directory, 'sequences.json'), 'utf8')) as Described[];
  // Most states occur in several sequences, which share one buffer.
  const files = new Map<string, Buffer>();
  const read = (file: string): Buffer => {
    const bytes = files.get(file) ?? readFileSync(join(directory, 'states', file));
    files.set(file, bytes);
    return bytes;
  };
  return described.map(({ test, name, states }) => ({
    name: `${test} ${name}`,
    states: states.map(({ file, after, committedEnd, error }) => ({
      after,
      bytes: read(file),
      committedEnd: error === undefined ? committedEnd : undefined,
    })),
  }));
}
