import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { duplicateKeys } from './duplicate-keys.js';
import { inProject } from './root.js';

/** The program under test, as an operator starts it. */
export const PROGRAM = inProject('dist', 'app', 'cli.cjs');

/** Far longer than any command here needs: after this time a command counts as hanging. */
const HANGS_AFTER_MS = 60_000;

export interface LogRecord {
  readonly level: string;
  readonly msg: string;
  readonly [field: string]: unknown;
}

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** A prefix command that runs the command line given to it. */
  readonly through?: readonly string[];
}

/** How one process of the command line ended, and its output. */
export class Run {
  constructor(
    readonly exit: number | null,
    readonly signal: string | null,
    readonly stdout: string,
    readonly stderr: string,
  ) {}

  /** The one JSON object on standard output. */
  // biome-ignore lint/suspicious/noExplicitAny: tests read single fields; result.test.ts checks the shape of all.
  get json(): any {
    const lines = this.stdout.split('\n');
    assert.equal(lines.length, 2, `expected one line on standard output:\n${this.all}`);
    assert.equal(lines[1], '');
    return JSON.parse(lines[0] ?? '');
  }

  /** The log; every line must be JSON, without duplicate keys. */
  get records(): LogRecord[] {
    const lines = this.stderr.split('\n').filter((line) => line !== '');
    assert.deepEqual(lines.flatMap(duplicateKeys), [], this.all);
    return lines.map((line) => JSON.parse(line) as LogRecord);
  }

  get all(): string {
    return `exit ${this.exit} ${this.signal ?? ''}\n--- stdout\n${this.stdout}\n--- stderr\n${this.stderr}`;
  }
}

function commandOf(args: readonly string[], { through = [] }: RunOptions): [string, string[]] {
  const [program = '', ...rest] = [...through, process.execPath, PROGRAM, ...args];
  return [program, rest];
}

function settingsOf({ cwd, env }: RunOptions) {
  return { env: { ...process.env, ...env }, ...(cwd !== undefined && { cwd }) };
}

/** Runs the command line to its end. */
export function syncpozo(args: readonly string[], options: RunOptions = {}): Run {
  const [program, rest] = commandOf(args, options);
  const done = spawnSync(program, rest, {
    ...settingsOf(options),
    encoding: 'utf8',
    timeout: HANGS_AFTER_MS,
    killSignal: 'SIGKILL',
  });
  const run = new Run(done.status, done.signal, done.stdout, done.stderr);
  assert.equal(done.error, undefined, `${rest.join(' ')}: ${done.error?.message}\n${run.all}`);
  return run;
}

/** A process of the command line that runs while the test continues. */
export class Running {
  private stdout = '';
  private stderr = '';
  private readonly closed: Promise<unknown[]>;

  private constructor(private readonly child: ChildProcess) {
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text;
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
    });
    this.closed = once(child, 'close');
  }

  static start(args: readonly string[], options: RunOptions = {}): Running {
    const [program, rest] = commandOf(args, options);
    return new Running(spawn(program, rest, { ...settingsOf(options), stdio: ['ignore', 'pipe', 'pipe'] }));
  }

  get ended(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  /** What it has printed until now, in complete lines. */
  get soFar(): Run {
    const complete = (text: string): string => text.slice(0, text.lastIndexOf('\n') + 1);
    return new Run(null, null, complete(this.stdout), complete(this.stderr));
  }

  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** What it has written to standard output so far. */
  get printed(): string {
    return this.stdout;
  }

  async end(): Promise<Run> {
    const hangs = setTimeout(() => this.child.kill('SIGKILL'), HANGS_AFTER_MS);
    await this.closed;
    clearTimeout(hangs);
    return new Run(this.child.exitCode, this.child.signalCode, this.stdout, this.stderr);
  }
}

export interface Expected {
  readonly exit: number;
  readonly action?: string;
  readonly reason?: RegExp | string;
  /** Of the result; null: without a hint. */
  readonly hint?: RegExp | null;
}

/** Asserts how a `sync --json` ended: exit status, result and log agree, and there is no sign of a crash. */
export function assertEnd(run: Run, { exit, action, reason, hint }: Expected): void {
  assertNoCrash(run);
  assert.equal(run.exit, exit, run.all);
  const { json } = run;
  assert.equal(json.exitCode, exit);
  if (action !== undefined) assert.equal(json.action, action, run.all);
  if (typeof reason === 'string') assert.equal(json.reason, reason);
  else if (reason !== undefined) assert.match(json.reason, reason);
  if (hint === null) assert.equal(json.hint, null);
  else if (hint !== undefined) assert.match(json.hint, hint);
  const errors = run.records.filter(({ level }) => level === 'error');
  if (exit === 0) return assert.deepEqual(errors, []);
  assert.deepEqual(
    errors.map(({ msg }) => msg),
    [json.reason],
    run.all,
  );
  assert.equal(errors[0]?.['hint'] ?? null, json.hint, 'log and result give the same hint');
}

/** Asserts that neither stream holds a stack trace, and that no signal ended the process. */
export function assertNoCrash(run: Run): void {
  assert.equal(run.signal, null, run.all);
  assert.doesNotMatch(
    run.stdout + run.stderr,
    /^\s+at .*:\d+|\\n\s+at |"stack"|Node\.js v\d|UnhandledPromise/m,
    run.all,
  );
}
