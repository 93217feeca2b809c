import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { reasonToSkip } from './cluster/support/image.js';
import { inProject } from './support/root.js';
import { ensureVenv, VenvError } from './support/venv.js';

/**
 * Runs the compiled tests of a group: `node dist/test/run.js all|unit|zodb|scripts|campaign|cluster [PART ...]`; a PART selects the
 * files with it in their path.
 *
 * test/zodb, crash, faults, chaos, histories, blobs, extract, rejoin, together, wayback and cluster need the real ZODB and ZEO,
 * test/scripts needs shellcheck and the operator's scripts, all other folders are `unit`. `campaign` are the long tests, the files
 * *.campaign.ts of all folders. `cluster` are the tests and the campaigns of test/cluster. Their settings:
 *   SYNCPOZO_MINUTES  how long the live ZEO campaign, those of a watch, of a group and of ways back run, each (10)
 *   SYNCPOZO_HISTORIES  how many random histories the long form plays (3000)
 *   SYNCPOZO_BLOB_HISTORIES  how many random histories with blobs the long form plays (500)
 *   SYNCPOZO_THIN_HISTORIES  how many random histories get a thin file in the long form (300)
 *   SYNCPOZO_SEED     the seed of all random choices, in the short tests too; `random`: new ones (see support/seed.ts)
 *   SYNCPOZO_KEEP     keeps the directory of a failed test, and prints its path
 * The groups that need Python build `.venv` first; test/cluster also the image of its hosts, where this machine can carry them.
 * Its campaign with a real Plone makes a Python environment for that, once.
 */
const GROUPS = ['all', 'unit', 'zodb', 'scripts', 'campaign', 'cluster'] as const;
type Group = (typeof GROUPS)[number];

/** Folders whose tests have real ZODB as judge. */
const JUDGED_BY_ZODB: ReadonlySet<string> = new Set([
  'zodb',
  'crash',
  'chaos',
  'faults',
  'histories',
  'blobs',
  'extract',
  'rejoin',
  'wayback',
  'together',
  'cluster',
]);

const COMPILED = inProject('dist', 'test');

/**
 * They take a minute and more each. Started last, one of them would keep a core waiting for minutes. Those of the cluster mostly wait,
 * for what happens in some seconds: they are spread, so that few run at once.
 */
const LONGEST = [
  'crash/enumeration',
  'cluster/takeover',
  'crash/mutation',
  'zodb/corpus',
  'cluster/partition',
  'zodb/own-tests',
  'histories/histories',
  'cluster/boot',
  'commands/json-contract',
  'blobs/blobs',
  'cluster/switchover',
  'faults/sweep',
  'chaos/chaos',
  'cluster/hosts',
  'zodb/live-zeo',
  'zodb/index-corpus',
  'faults/rejoin',
  'together/together',
  'wayback/wayback',
];

process.exitCode = main(process.argv.slice(2));

function main(args: readonly string[]): number {
  const [name, ...parts] = args;
  const group = GROUPS.find((known) => known === name);
  if (group === undefined) return complain(`usage: node dist/test/run.js ${GROUPS.join('|')} [PART ...]`, 2);
  const files = testFiles().filter((file) => isIn(group, file) && isChosen(parts, file));
  if (files.length === 0) return complain(`no test was found for: ${args.join(' ')} (npm run build comes first)`, 1);
  // The tests run the program as it is installed: bundled.
  const bundled = spawnSync('npm', ['run', '--silent', 'bundle'], { stdio: 'inherit', cwd: inProject() });
  if (bundled.status !== 0) return complain('the program could not be bundled (npm ci comes first)', 1);
  try {
    if (files.some(needsPython)) ensureVenv();
    // The tests ask for the reason again, and skip themselves.
    if (files.some(isOfCluster)) reasonToSkip();
  } catch (error) {
    if (error instanceof VenvError) return complain(error.message, 1);
    throw error;
  }
  const program = join(COMPILED, 'side-by-side.js');
  const started = ['--enable-source-maps', program, ...longestFirst(files)];
  const run = spawnSync(process.execPath, started, { stdio: 'inherit', cwd: inProject() });
  if (run.error) throw run.error;
  return run.status ?? complain(`the tests were ended by ${run.signal}`, 1);
}

/** Compiled test files in a fixed order; compiled files without a source are not run. */
function testFiles(): string[] {
  return readdirSync(COMPILED, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(test|campaign)\.js$/.test(name))
    .filter((name) => existsSync(inProject('test', name.replace(/\.js$/, '.ts'))))
    .sort()
    .map((name) => join(COMPILED, name));
}

function longestFirst(files: readonly string[]): readonly string[] {
  const rankOf = (file: string): number => {
    const rank = LONGEST.indexOf(relative(COMPILED, file).replace(/\.(test|campaign)\.js$/, ''));
    return rank < 0 ? LONGEST.length : rank;
  };
  return files.toSorted((a, b) => rankOf(a) - rankOf(b));
}

function isIn(group: Group, file: string): boolean {
  if (group === 'cluster') return isOfCluster(file);
  const isCampaign = file.endsWith('.campaign.js');
  if (group === 'campaign' || isCampaign) return group === 'campaign' && isCampaign;
  return group === 'all' || group === folderGroup(file);
}

function folderGroup(file: string): Group {
  const folder = folderOf(file);
  if (folder === 'scripts') return 'scripts';
  return JUDGED_BY_ZODB.has(folder) ? 'zodb' : 'unit';
}

function folderOf(file: string): string {
  return relative(COMPILED, file).split(sep)[0] ?? '';
}

function isOfCluster(file: string): boolean {
  return folderOf(file) === 'cluster';
}

function needsPython(file: string): boolean {
  return folderGroup(file) !== 'unit';
}

function isChosen(parts: readonly string[], file: string): boolean {
  return parts.length === 0 || parts.some((part) => relative(COMPILED, file).includes(part));
}

function complain(message: string, status: number): number {
  process.stderr.write(`${message}\n`);
  return status;
}
