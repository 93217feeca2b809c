import { linkSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { python, SYNCPOZO } from '../peers.js';
import { type Contender, race, WrongResult } from '../race.js';
import type { Measured, Row } from '../row.js';
import { dropFromCache, type Scene } from '../scene.js';
import { faster, indexMemory, ofLarge } from '../target.js';

const REBUILD = 'import sys; from ZODB.FileStorage import FileStorage; FileStorage(sys.argv[1]).close()';

/** Builds Data.fs.index from nothing, against FileStorage, which builds one when it opens a file without. */
export const buildIndex: Row = {
  name: 'index',
  media: ['memory', 'disk'],
  missing: ({ peers }) => (peers.has('index') ? undefined : 'syncpozo has no command index yet'),
  measure,
};

async function measure(scene: Scene): Promise<Measured> {
  const { pair, peers, runs, onRun } = scene;
  const ours = twin(pair.master, scene.path('index-ours'));
  const theirs = twin(pair.master, scene.path('index-theirs'));
  const afresh = (file: string): void => {
    rmSync(`${file}.index`, { force: true });
    if (scene.medium === 'disk') dropFromCache(file);
  };
  const contenders: Contender[] = [
    {
      name: 'index',
      command: [...SYNCPOZO, 'index', '--quiet', ours],
      prepare: () => afresh(ours),
    },
  ];
  if (peers.zodb.version !== undefined) {
    contenders.push({
      name: 'FileStorage without an index',
      command: python('-c', REBUILD, theirs),
      prepare: () => afresh(theirs),
      check: () => {
        if (readFileSync(`${ours}.index`).equals(readFileSync(`${theirs}.index`))) return;
        throw new WrongResult("our index is not FileStorage's, byte for byte");
      },
    });
  }
  const series = await race(contenders, runs, onRun);
  return {
    title: `index from nothing, ${pair.objects.toLocaleString('en')} objects`,
    series,
    targets: [
      ...ofLarge(scene.bytes, faster(series, 'index', 30, 'FileStorage without an index')),
      ...indexMemory(series, pair.objects),
    ],
  };
}

/** The same file in a separate directory, so that each has its own index. */
function twin(file: string, directory: string): string {
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory);
  linkSync(file, `${directory}/Data.fs`);
  return `${directory}/Data.fs`;
}
