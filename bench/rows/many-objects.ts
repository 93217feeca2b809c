import { mkdirSync, rmSync } from 'node:fs';
import { Fixture } from '../fixture/fixture.js';
import { SITE } from '../fixture/options.js';
import { SYNCPOZO } from '../peers.js';
import { race } from '../race.js';
import type { Measured, Row } from '../row.js';
import { growFile, type Scene } from '../scene.js';
import { indexMemory } from '../target.js';

const MIB = 1 << 20;
const OBJECTS = 10_000_000;
/** Short, so that the file is no larger than necessary. */
const DATA_LENGTH = 64;
const LEAST_BYTES = 1 << 30;

/** Builds the index of ten million objects from nothing: the cost for a site with more objects, not larger ones. */
export const manyObjects: Row = {
  name: 'many-objects',
  media: ['memory'],
  missing: ({ bytes, peers }) => {
    if (!peers.has('index')) return 'syncpozo has no command index yet';
    return bytes < LEAST_BYTES ? 'only beside files of 1 GiB and more' : undefined;
  },
  measure,
};

async function measure(scene: Scene): Promise<Measured> {
  const directory = scene.path('many-objects');
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory);
  const file = `${directory}/Data.fs`;
  try {
    const objects = make(file);
    const series = await race(
      [
        {
          name: 'index',
          command: [...SYNCPOZO, 'index', '--quiet', file],
          prepare: () => rmSync(`${file}.index`, { force: true }),
        },
      ],
      scene.runs,
      scene.onRun,
    );
    return {
      title: `index from nothing, ${objects.toLocaleString('en')} small objects`,
      series,
      targets: indexMemory(series, objects),
    };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Returns the number of objects in the file. */
function make(file: string): number {
  const fixture = new Fixture({
    ...SITE,
    sizes: { kind: 'fixed', length: DATA_LENGTH },
    updates: 0,
    undos: 0,
    blobs: 0,
  });
  for (let bytes = 64 * MIB; fixture.facts.objects < OBJECTS; bytes += 64 * MIB) growFile(file, fixture, bytes);
  return fixture.facts.objects;
}
