import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { inProject } from './support/root.js';

/** Lints files with the project's rules, in a directory of their own; returns exit status and output. */
function lintAll(files: ReadonlyMap<string, string>): { readonly status: number | null; readonly output: string } {
  const directory = mkdtempSync(join(tmpdir(), 'syncpozo-layers-'));
  try {
    copyFileSync(inProject('biome.json'), join(directory, 'biome.json'));
    for (const [path, text] of files) {
      mkdirSync(join(directory, dirname(path)), { recursive: true });
      writeFileSync(join(directory, path), text);
    }
    const biome = inProject('node_modules', '.bin', 'biome');
    const run = spawnSync(biome, ['lint', '--colors=off', '--max-diagnostics=none', ...files.keys()], {
      cwd: directory,
      encoding: 'utf8',
    });
    return { status: run.status, output: run.stdout + run.stderr };
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** The path of each import that the lint refuses. */
function refusedIn(output: string): string[] {
  return [...output.matchAll(/^(\S+?):\d+:\d+ lint\/style\/noRestrictedImports/gm)].map(([, path]) => path ?? '');
}

const ARROWS: readonly (readonly [string, string])[] = [
  ['src/filestorage/x.ts', '../io/open-file.js'],
  ['src/filestorage/x.ts', '../sync/decide.js'],
  ['src/filestorage/x.ts', 'node:fs'],
  ['src/io/x.ts', '../sync/decide.js'],
  ['src/io/x.ts', '../filestorage/layout.js'],
  ['src/standby/x.ts', '../sync/decide.js'],
  ['src/standby/x.ts', 'node:fs'],
  ['src/sync/x.ts', '../report/log.js'],
  ['src/sync/x.ts', '../commands/sync.js'],
  ['src/sync/x.ts', 'node:fs'],
  ['src/sync/x.ts', '../round/run-sync.js'],
  ['src/round/x.ts', '../watch/watch.js'],
  ['src/monitor/x.ts', '../standby/paths.js'],
  ['src/watch/x.ts', '../sync/sync.js'],
  ['src/events/x.ts', '../round/result.js'],
  ['src/report/x.ts', '../sync/decide.js'],
  ['src/commands/x.ts', 'node:fs'],
  ['src/commands/x.ts', 'fs-extra'],
  ['workers/x.ts', '../src/io/open-file.js'],
  ['pages/x.ts', '../src/commands/sync-command.js'],
  ['pages/x.ts', '../src/io/open-file.js'],
];

describe('the lint refuses arrows against the layers', () => {
  it('each of them, in one run', () => {
    const files = ARROWS.map(([path, target], number) => ({
      path: path.replace('x.ts', `x${number}.ts`),
      text: `import { thing } from '${target}';\n\nexport const other = thing;\n`,
      arrow: `${path} must not import ${target}`,
    }));
    const { status, output } = lintAll(new Map(files.map(({ path, text }) => [path, text])));
    assert.notEqual(status, 0);
    const refused = refusedIn(output);
    const missing = files.filter(({ path }) => !refused.includes(path)).map(({ arrow }) => arrow);
    assert.deepEqual(missing, []);
  });

  it('and permits all others', () => {
    const text = "import { thing } from '../io/open-file.js';\n\nexport const other = thing;\n";
    const { status, output } = lintAll(new Map([['src/sync/x.ts', text]]));
    assert.equal(status, 0, output);
  });
});

/** The rooms of src, and the other rooms that each may import. */
const ROOMS: ReadonlyMap<string, readonly string[]> = new Map([
  [
    'commands',
    names(
      'config watch rejoin monitor round events sync takeover extract lineage scrub verify blobs index pipeline standby filestorage io report demo',
    ),
  ],
  ['config', names('events blobs report scrub standby io')],
  ['watch', names('round monitor events report pipeline standby filestorage io')],
  ['monitor', names('events report io')],
  ['round', names('events report sync lineage scrub blobs pipeline standby filestorage io')],
  ['rejoin', names('round events report sync takeover extract lineage blobs index pipeline standby filestorage io')],
  ['events', names('report standby io')],
  ['demo', names('standby filestorage io')],
  ['report', names('io')],
  ['sync', names('lineage scrub blobs index pipeline standby filestorage io')],
  ['takeover', names('blobs index pipeline standby filestorage io')],
  ['extract', names('blobs index pipeline standby filestorage io')],
  ['lineage', names('pipeline standby filestorage io')],
  ['scrub', names('blobs index pipeline standby filestorage io')],
  ['verify', names('blobs index pipeline standby filestorage io')],
  ['blobs', names('pipeline standby filestorage io')],
  ['index', names('pipeline standby filestorage io')],
  ['pipeline', names('standby filestorage io')],
  ['standby', names('filestorage io')],
  ['filestorage', []],
  ['io', []],
]);

function names(text: string): readonly string[] {
  return text.split(' ');
}

describe('the table of rooms', () => {
  it('names every folder of src', () => {
    const folders = readdirSync(inProject('src'), { withFileTypes: true }).filter((entry) => entry.isDirectory());
    assert.deepEqual(folders.map(({ name }) => name).sort(), [...ROOMS.keys()].sort());
  });

  it('has a heading for each of them', () => {
    const list = readFileSync(inProject('src', 'README.md'), 'utf8');
    for (const room of ROOMS.keys()) {
      const heading = readFileSync(inProject('src', room, 'README.md'), 'utf8');
      for (const part of [`# ${room}\n`, '\n- In: ', '\n- Out: ', '\n- Invariant: ']) {
        assert.ok(heading.includes(part), `${room}: ${part}`);
      }
      assert.match(heading, /\bCallers: /, room);
      assert.ok(list.includes(`](${room}/README.md)`), room);
    }
  });

  it('refuses every import that is not in it, of a value, of a type and dynamic, and no other', () => {
    const files = new Map<string, string>();
    const refused: string[] = [];
    for (const [room, others] of ROOMS) {
      for (const target of [...ROOMS.keys(), 'new-room'].filter((name) => name !== room)) {
        const from = `../${target}/other.js`;
        const forms = {
          value: `import { thing } from '${from}';\n\nexport const other = thing;\n`,
          type: `import type { Thing } from '${from}';\n\nexport type Other = Thing;\n`,
          later: `export const other = await import('${from}');\n`,
        };
        for (const [form, text] of Object.entries(forms)) {
          const path = `src/${room}/${target}-${form}.ts`;
          files.set(path, text);
          if (room !== 'commands' && !others.includes(target)) refused.push(path);
        }
      }
    }
    const { output } = lintAll(files);
    assert.deepEqual([...new Set(refusedIn(output))].sort(), refused.sort());
  });

  it('keeps node:fs and similar modules in io', () => {
    const modules = ['node:fs', 'node:fs/promises', 'fs-extra', 'fs-extra/esm'];
    const rooms = [...[...ROOMS.keys()].map((room) => `src/${room}`), 'src', 'workers'];
    const files = rooms.flatMap((room) =>
      modules.map((name, index) => [`${room}/x${index}.ts`, `export { other } from '${name}';\n`] as const),
    );
    const { output } = lintAll(new Map(files));
    const found = refusedIn(output);
    const refused = files.map(([path]) => path).filter((path) => !path.startsWith('src/io/'));
    assert.deepEqual(found.sort(), refused.sort());
  });
});

describe('what is shipped', () => {
  it('imports nothing from the tests, the benchmarks and the pages', () => {
    for (const room of ['src', 'workers']) {
      const files = readdirSync(inProject(room), { recursive: true, encoding: 'utf8' }).filter((name) =>
        name.endsWith('.ts'),
      );
      assert.ok(files.length > 0);
      for (const file of files) {
        const text = readFileSync(inProject(room, file), 'utf8');
        assert.doesNotMatch(text, /from '(\.\.\/)+(test|bench|pages)\//, `${room}/${file}`);
      }
    }
  });
});
