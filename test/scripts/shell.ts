import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { inProject, projectRoot } from '../support/root.js';

export const scripts = inProject('scripts');
const cli = fileURLToPath(new URL('../../app/cli.cjs', import.meta.url));

/** Nothing here takes half a minute; a script that does hangs, and the test must report it. */
const limitMilliseconds = 60_000;

export interface Result {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

/**
 * Runs a program until it and its output end: a daemon that has inherited the pipe fails the test.
 * The environment is cron's, with the caller's additions.
 */
export function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<Result> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: options.cwd ?? projectRoot,
      env: { PATH: '/usr/bin:/bin', HOME: tmpdir(), ...options.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      child.stdout.destroy();
      child.stderr.destroy();
      reject(new Error(`${command} ${args.join(' ')}: not ended, or its output is still open\n${stdout}${stderr}`));
    }, limitMilliseconds);
    child.once('error', reject);
    child.once('close', (status) => {
      clearTimeout(timer);
      resolve({ status, stdout, stderr });
    });
  });
}

/** A directory for this test. At the end every process with it on its command line is killed. */
export function scratch(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'syncpozo-scripts-'));
  t.after(() => {
    for (const pid of processesNaming(dir)) kill(pid);
    rmSync(dir, { recursive: true, force: true });
  });
  return dir;
}

export function writeScript(path: string, body: string): string {
  writeFileSync(path, `#!/bin/sh\n${body}\n`, { mode: 0o755 });
  return path;
}

/** The real syncpozo as a command in `dir`, found by its name alone. */
export function installSyncpozo(dir: string): string {
  return writeScript(join(dir, 'syncpozo'), `exec '${process.execPath}' '${cli}' "$@"`);
}

export function alive(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

export function kill(pid: number, signal: NodeJS.Signals = 'SIGKILL'): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

export function processesNaming(text: string): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(text);
      } catch {
        return false;
      }
    })
    .map(Number);
}

/** Polls, because the condition depends on other processes. */
export async function eventually(what: string, holds: () => boolean): Promise<void> {
  for (let tries = 0; tries < 15_000; tries += 1) {
    if (holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  throw new Error(`never happened: ${what}`);
}
