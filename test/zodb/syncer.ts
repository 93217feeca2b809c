import { spawn } from 'node:child_process';
import { runSync } from '../../src/round/run-sync.js';
import { inProject } from '../support/root.js';

/**
 * The one place that knows how to call a sync: in its own process, as cron calls it, or in this process with the command
 * line's own function. SYNCPOZO_TEST_COMMAND names another program than the one that was built here.
 */
export interface SyncOptions {
  readonly statusFile: string;
  readonly full?: boolean;
  readonly chunkBytes?: number;
}

export interface SyncOutcome {
  readonly exitCode: number;
  readonly action: string;
  readonly reason: string;
  /** All output: for the message of a failed test. */
  readonly output: string;
}

export type Sync = (master: string, slave: string, options: SyncOptions) => Promise<SyncOutcome>;

const COMMAND = process.env.SYNCPOZO_TEST_COMMAND?.split(' ') ?? [
  process.execPath,
  inProject('dist', 'app', 'cli.cjs'),
];

/** Program and arguments of a sync. */
export function syncCommand(master: string, slave: string, options: SyncOptions): [string, ...string[]] {
  const [program, ...args] = COMMAND;
  return [
    program!,
    ...args,
    'sync',
    master,
    slave,
    '--json',
    '--status-file',
    options.statusFile,
    ...(options.full ? ['--full'] : []),
    ...(options.chunkBytes === undefined ? [] : ['--chunk-size', `${options.chunkBytes}B`]),
  ];
}

export const syncByProcess: Sync = async (master, slave, options) => {
  const [program, ...args] = syncCommand(master, slave, options);
  const { exitCode, out, err } = await run(program, args);
  const json = parse(out);
  return { exitCode, action: json.action ?? 'none reported', reason: json.reason ?? '', output: `${out}${err}` };
};

/** The same function that the command line calls. */
export const syncInProcess: Sync = async (master, slave, options) => {
  const result = await runSync({
    master,
    slave,
    statusFile: options.statusFile,
    full: options.full ?? false,
    ...(options.chunkBytes === undefined ? {} : { chunkBytes: options.chunkBytes }),
  });
  return { exitCode: result.exitCode, action: result.action, reason: result.reason, output: JSON.stringify(result) };
};

interface Run {
  readonly exitCode: number;
  readonly out: string;
  readonly err: string;
}

/** Runs a program to its end; an end by a signal is exit code -1. */
export function run(program: string, args: readonly string[]): Promise<Run> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let out = '';
    let err = '';
    child.stdout.on('data', (data: Buffer) => {
      out += data;
    });
    child.stderr.on('data', (data: Buffer) => {
      err += data;
    });
    child.on('error', reject);
    child.on('close', (code) => resolve({ exitCode: code ?? -1, out, err }));
  });
}

function parse(text: string): { action?: string; reason?: string } {
  try {
    return JSON.parse(text) as { action?: string; reason?: string };
  } catch {
    return {};
  }
}
