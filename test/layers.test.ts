import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { inProject } from './support/root.js';

/** Lints one file with the project's rules, in a directory of its own; exit status and output. */
function lint(path: string, text: string): { readonly status: number | null; readonly output: string } {
  const directory = mkdtempSync(join(tmpdir(), 'syncpozo-layers-'));
  try {
    copyFileSync(inProject('biome.json'), join(directory, 'biome.json'));
    mkdirSync(join(directory, dirname(path)), { recursive: true });
    writeFileSync(join(directory, path), text);
    const biome = inProject('node_modules', '.bin', 'biome');
    const run = spawnSync(biome, ['lint', path], { cwd: directory, encoding: 'utf8' });
    return { status: run.status, output: run.stdout + run.stderr };
  } finally {
    rmSync(directory, { recursive: true });
  }
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
  ['src/report/x.ts', '../sync/decide.js'],
  ['src/commands/x.ts', 'node:fs'],
  ['src/commands/x.ts', 'fs-extra'],
  ['workers/x.ts', '../src/io/open-file.js'],
];

describe('the lint refuses arrows against the layers', () => {
  for (const [path, target] of ARROWS) {
    it(`${path} must not import ${target}`, () => {
      const { status, output } = lint(path, `import { thing } from '${target}';\n\nexport const other = thing;\n`);
      assert.notEqual(status, 0);
      assert.match(output, /noRestrictedImports/);
    });
  }

  it('and lets the others be', () => {
    const { status, output } = lint(
      'src/sync/x.ts',
      "import { thing } from '../io/open-file.js';\n\nexport const other = thing;\n",
    );
    assert.equal(status, 0, output);
  });
});

describe('what is shipped', () => {
  it('imports nothing of the tests and of the benchmarks', () => {
    for (const room of ['src', 'workers']) {
      const files = readdirSync(inProject(room), { recursive: true, encoding: 'utf8' }).filter((name) =>
        name.endsWith('.ts'),
      );
      assert.ok(files.length > 0);
      for (const file of files) {
        const text = readFileSync(inProject(room, file), 'utf8');
        assert.doesNotMatch(text, /from '(\.\.\/)+(test|bench)\//, `${room}/${file}`);
      }
    }
  });
});
