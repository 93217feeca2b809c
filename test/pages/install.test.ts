import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { it } from 'node:test';
import { inProject } from '../support/root.js';
import { withTempDir } from '../support/site.js';

interface Package {
  readonly name: string;
  readonly version: string;
  readonly scripts?: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
}

const ours = packageIn(inProject());

function packageIn(directory: string): Package {
  return JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8')) as Package;
}

/** Everything that an operator needs, and nothing else. */
const PACKED =
  /^(package\.json|README\.md|CHANGELOG\.md|LICENSE|docs\/[\w-]+\.(md|svg|png)|scripts\/.+|dist\/(app\/[\w-]+\.cjs|man\/syncpozo\.1|completion\/(syncpozo\.bash|_syncpozo)))$/;

/** What npm says where it has no package in its cache, and no registry to ask. */
const NO_REGISTRY = /ENOTCACHED|ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|ERR_SOCKET_TIMEOUT/;

/** What a package could be compiled with; none of it may be called. */
const COMPILERS = ['cc', 'gcc', 'g++', 'c++', 'clang', 'make', 'python3', 'node-gyp'];

function run(program: string, args: readonly string[], env: NodeJS.ProcessEnv = process.env) {
  return spawnSync(program, args, { encoding: 'utf8', env, cwd: inProject(), timeout: 120_000 });
}

/** Packs what was built. Without scripts: a build beside the tests would pull dist from under their feet. */
function pack(directory: string): { readonly file: string; readonly paths: readonly string[] } {
  const packed = run('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', directory]);
  assert.equal(packed.status, 0, packed.stderr);
  const found = JSON.parse(packed.stdout) as unknown;
  // npm 12 gives an object by package names, npm before an array.
  const [result] = (Array.isArray(found) ? found : Object.values(found as object)) as [
    { readonly filename: string; readonly files: readonly { readonly path: string }[] },
  ];
  return { file: join(directory, result.filename), paths: result.files.map(({ path }) => path) };
}

/** From npm's cache; what is not in it comes from the registry. */
function install(file: string, prefix: string, env: NodeJS.ProcessEnv) {
  const args = ['install', '--global', '--prefix', prefix, '--no-audit', '--no-fund', '--fetch-retries=0', file];
  const offline = run('npm', [...args, '--offline'], env);
  return offline.status === 0 ? offline : run('npm', [...args, '--prefer-offline'], env);
}

it('the package has what an operator needs, installs without a compiler, and runs', (t) =>
  withTempDir((directory) => {
    const { file, paths } = pack(directory);
    assert.deepEqual(
      paths.filter((path) => !PACKED.test(path)),
      [],
    );
    for (const path of ['dist/app/cli.cjs', 'dist/man/syncpozo.1', 'dist/completion/syncpozo.bash', 'scripts/crontab'])
      assert.ok(paths.includes(path), path);

    const traps = join(directory, 'traps');
    const trapped = join(directory, 'trapped');
    mkdirSync(traps);
    for (const name of COMPILERS) {
      writeFileSync(join(traps, name), `#!/bin/sh\necho "$0 $*" >>'${trapped}'\nexit 1\n`);
      chmodSync(join(traps, name), 0o755);
    }
    const prefix = join(directory, 'prefix');
    const env = { ...process.env, PATH: [traps, process.env['PATH']].join(delimiter) };
    const installed = install(file, prefix, env);
    if (installed.status !== 0 && NO_REGISTRY.test(installed.stderr))
      return t.skip('npm has no copy of the dependencies in its cache, and reaches no registry');
    assert.equal(installed.status, 0, installed.stderr);
    assert.ok(!existsSync(trapped));

    const home = join(prefix, 'lib', 'node_modules', 'syncpozo');
    assert.deepEqual(
      Object.keys(ours.devDependencies).filter((name) => existsSync(join(home, 'node_modules', name))),
      [],
    );
    const page = join(prefix, 'share', 'man', 'man1', 'syncpozo.1');
    assert.equal(realpathSync(page), realpathSync(join(home, 'dist', 'man', 'syncpozo.1')));
    assert.deepEqual(readdirSync(join(prefix, 'bin')), ['syncpozo']);

    const program = join(prefix, 'bin', 'syncpozo');
    const asked = run(program, ['--version'], env);
    assert.deepEqual([asked.status, asked.stdout, asked.stderr], [0, `${ours.version}\n`, '']);
    const demo = run(program, ['demo'], env);
    assert.deepEqual([demo.status, demo.stderr], [0, ''], demo.stdout);
    assert.match(demo.stdout, /^As expected: all \d+ steps/m);
    assert.ok(!existsSync(trapped));
  }));
