import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { inProject } from './root.js';

/**
 * The virtual environment with the real ZODB and ZEO, `.venv` in the project's root.
 *
 * Invariant: the stamp file is written last and holds the hash of the requirements that the environment was built from, so
 * an incomplete or outdated one is rebuilt.
 */
const VENV = inProject('.venv');
const REQUIREMENTS = inProject('test', 'zodb', 'requirements.txt');
const STAMP = inProject('.venv', 'syncpozo-requirements.sha256');
const CANDIDATES = ['python3', 'python3.13', 'python3.12', 'python3.11'];
const OLDEST = 'sys.version_info >= (3, 11)';

/** The environment cannot be built; the message names the missing part and how to install it. */
export class VenvError extends Error {
  override readonly name = 'VenvError';
}

/** Path of the environment's Python. Builds a missing environment first. Throws VenvError. */
export function python(): string {
  return venvProgram('python');
}

/** Path of a program in the environment: `python`, `shellcheck`. Builds a missing environment first. */
export function venvProgram(name: string): string {
  ensureVenv();
  return inProject('.venv', 'bin', name);
}

/** Two processes must not build it at once: the runner calls this before it starts any test. Throws VenvError. */
export function ensureVenv(): void {
  const requested = createHash('sha256').update(readFileSync(REQUIREMENTS)).digest('hex');
  if (
    existsSync(STAMP) &&
    readFileSync(STAMP, 'utf8') === requested &&
    runs(inProject('.venv', 'bin', 'python'), 'True')
  )
    return;
  rmSync(VENV, { recursive: true, force: true });
  const base = findPython();
  must(
    base,
    ['-m', 'venv', VENV],
    "Python's venv module does not work. On Debian and Ubuntu: apt install python3-venv (and python3-pip)",
  );
  must(
    inProject('.venv', 'bin', 'python'),
    ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--no-input', '-r', REQUIREMENTS],
    'pip could not install test/zodb/requirements.txt. Is https://pypi.org within reach? A mirror or proxy can be named ' +
      'by PIP_INDEX_URL and HTTPS_PROXY; where no wheel fits this machine, a C compiler and python3-dev are needed',
  );
  writeFileSync(STAMP, requested);
}

function findPython(): string {
  const found = CANDIDATES.find((name) => runs(name, OLDEST));
  if (found !== undefined) return found;
  throw new VenvError(
    `no Python 3.11 or newer was found (tried ${CANDIDATES.join(', ')}); the tests with the real ZODB need one.\n` +
      'hint: on Debian and Ubuntu: apt install python3 python3-venv',
  );
}

function runs(program: string, condition: string): boolean {
  const probe = spawnSync(program, ['-c', `import sys; sys.exit(0 if ${condition} else 1)`]);
  return probe.status === 0;
}

function must(program: string, args: readonly string[], hint: string): void {
  const result = spawnSync(program, args, { encoding: 'utf8' });
  if (result.status === 0) return;
  const output = `${result.stdout ?? ''}${result.stderr ?? ''}`.trim().split('\n').slice(-5).join('\n');
  const why = output === '' ? (result.error?.message ?? `exit status ${result.status}`) : output;
  throw new VenvError(`${program} ${args.slice(0, 3).join(' ')} failed:\n${why}\nhint: ${hint}`);
}
