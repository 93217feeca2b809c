import { existsSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { parseArgs } from 'node:util';
import { parseBytes } from '../src/report/size.js';
import { inProject } from '../test/support/root.js';
import type { Row } from './row.js';
import type { Medium } from './scene.js';

const DEFAULT_SIZES = ['64MiB', '512MiB', '2GiB'];
/** On a disk, the largest size would take hours. */
const FULL_SIZES = [...DEFAULT_SIZES, '8GiB'];
/** More sizes would take longer and show nothing new. */
const NETWORK_SIZES = ['512MiB'];
const MEDIA: readonly Medium[] = ['memory', 'disk', 'network'];

export interface Options {
  readonly sizes: (medium: Medium) => readonly number[];
  readonly rows: readonly Row[];
  readonly media: readonly Medium[];
  readonly diskDirectory: string;
  readonly runs: number;
  /** Directory for RESULTS.md and the plot; undefined: do not write them. */
  readonly output: string | undefined;
}

/** The command line is wrong, or asks for help. */
export class Usage extends Error {}

export function parseOptions(args: readonly string[], rows: readonly Row[]): Options {
  const { values } = parse(args, rows);
  if (values.help) throw new Usage(usage(rows));
  const sizes = (texts: readonly string[]): number[] => {
    const bytes = texts.map((text) => {
      const size = parseBytes(text);
      if (size === undefined || size < 1) throw new Usage(`${text} is not a size such as 64MiB\n${usage(rows)}`);
      return size;
    });
    return bytes.sort((one, other) => one - other);
  };
  const bySize = (usual: readonly string[]): number[] => sizes(values.size?.split(',') ?? usual);
  const usual = {
    memory: bySize(values.full ? FULL_SIZES : DEFAULT_SIZES),
    disk: bySize(DEFAULT_SIZES),
    network: bySize(NETWORK_SIZES),
  };
  const names = values.rows?.split(',');
  const unknown = names?.find((name) => rows.every((row) => row.name !== name));
  if (unknown !== undefined) throw new Usage(`there is no row ${unknown}\n${usage(rows)}`);
  const media = values.medium?.split(',');
  const runs = Number(values.runs);
  if (!Number.isInteger(runs) || runs < 1) throw new Usage(`${values.runs} is not a number of runs\n${usage(rows)}`);
  if (values.output !== undefined && !isDirectory(values.output))
    throw new Usage(`--output: ${values.output} is no directory; make it first\n${usage(rows)}`);
  const chosen = names !== undefined || media !== undefined || values.size !== undefined;
  return {
    sizes: (medium) => usual[medium],
    rows: rows.filter(({ name }) => names?.includes(name) ?? true),
    media: MEDIA.filter((medium) => media?.includes(medium) ?? (medium !== 'network' || values.network)),
    diskDirectory: values.dir,
    runs,
    output: values.output ?? (chosen ? undefined : inProject('bench')),
  };
}

function isDirectory(path: string): boolean {
  return existsSync(path) && statSync(path).isDirectory();
}

function parse(args: readonly string[], rows: readonly Row[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        size: { type: 'string' },
        full: { type: 'boolean', default: false },
        rows: { type: 'string' },
        medium: { type: 'string' },
        network: { type: 'boolean', default: false },
        dir: { type: 'string', default: tmpdir() },
        runs: { type: 'string', default: '5' },
        output: { type: 'string' },
        help: { type: 'boolean', default: false },
      },
    });
  } catch (error) {
    throw new Usage(`${error instanceof Error ? error.message : error}\n${usage(rows)}`);
  }
}

function usage(rows: readonly Row[]): string {
  return `usage: npm run bench -- [OPTION ...]

  --size SIZES    sizes of the file, such as 64MiB,2GiB   (${DEFAULT_SIZES.join(',')})
  --full          8GiB in memory as well; takes twice as long, and 18 GiB of memory
  --rows ROWS     only these: ${rows.map(({ name }) => name).join(',')}
  --medium MEDIA  only these of ${MEDIA.join(',')}      (memory,disk)
  --network       the rows with the master behind a slow mount as well: needs root and FUSE
  --dir DIR       where the rows on a disk are measured   (the system's temporary directory)
  --runs N        runs of each contender                  (5)
  --output DIR    writes RESULTS.md and results.svg there (bench, when nothing is left out; otherwise nowhere)`;
}
