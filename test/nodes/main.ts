import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { inProject } from '../support/root.js';

/**
 * The tests on other versions of Node: `npm run test:nodes [-- 22 24 26]`. npm's package `node` brings each version into a
 * temporary directory. The unit tests and the ones that real ZODB judges run on each, one after the other, as `npm test` runs
 * them on the version that is installed. Takes about as long as `npm test` for each version.
 */
const VERSIONS = ['22', '24', '26'];
const GROUPS = ['unit', 'zodb'];

interface Run {
  readonly version: string;
  readonly group: string;
  readonly passed: boolean;
  readonly minutes: number;
}

process.exitCode = main(process.argv.slice(2));

function main(args: readonly string[]): number {
  const versions = args.length > 0 ? args : VERSIONS;
  const misfit = versions.find((version) => !/^\d+(\.\d+){0,2}$/.test(version));
  if (misfit !== undefined) return complain(`${misfit} is no version of Node; usage: npm run test:nodes -- 22 24 26`);
  const runs: Run[] = [];
  for (const version of versions) {
    const directory = mkdtempSync(join(tmpdir(), 'syncpozo-node-'));
    try {
      const node = install(version, directory);
      if (node === undefined) return complain(`npm could not bring Node ${version}: is the registry in reach?`);
      for (const group of GROUPS) runs.push(runOn(node, version, group));
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  }
  for (const { version, group, passed, minutes } of runs) {
    process.stdout.write(`Node ${version}, ${group}: ${passed ? 'passed' : 'FAILED'}, ${minutes.toFixed(1)} min\n`);
  }
  return runs.every(({ passed }) => passed) ? 0 : 1;
}

/** Returns the path of the program; undefined where npm brings none. */
function install(version: string, directory: string): string | undefined {
  const args = ['install', '--silent', '--no-audit', '--no-fund', '--prefix', directory, `node@${version}`];
  const { status } = spawnSync('npm', args, { stdio: 'inherit', cwd: directory });
  const node = join(directory, 'node_modules', 'node', 'bin', 'node');
  return status === 0 && existsSync(node) ? node : undefined;
}

/** The tests start `node` by name as well, so this version comes first in PATH. */
function runOn(node: string, version: string, group: string): Run {
  const began = Date.now();
  const env = { ...process.env, PATH: `${dirname(node)}${delimiter}${process.env['PATH'] ?? ''}` };
  process.stdout.write(`Node ${version}, ${group}\n`);
  const { status } = spawnSync(node, [inProject('dist', 'test', 'run.js'), group], { stdio: 'inherit', env });
  return { version, group, passed: status === 0, minutes: (Date.now() - began) / 60_000 };
}

function complain(message: string): number {
  process.stderr.write(`${message}\n`);
  return 1;
}
