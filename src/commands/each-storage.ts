import type { StorageSettings } from '../config/configuration.js';
import { writeToStderr, writeToStdout } from '../io/sink.js';

import { Interrupted } from '../pipeline/read-deadline.js';
import { worstExit } from '../report/worst-exit.js';
import { exitOfError, hintOf } from '../round/exit.js';
import { type CommonOptions, printJson } from './common.js';
import { reportError } from './report-error.js';

/** What a command came to, for one storage or for two paths. */
export interface Ended {
  readonly exitCode: number;
  /** The object of --json. */
  readonly json: object;
  /** Text for standard output and for standard error, where there is no --json; '' for none. */
  readonly out?: string;
  readonly err?: string;
}

type RunOne = (storage: StorageSettings, index: number) => Ended | Promise<Ended>;

/** In the place of the object of a storage for which a command has come to none. */
interface Failed {
  readonly action: 'failed';
  readonly reason: string;
  readonly hint: string | null;
  readonly exitCode: number;
}

/** Prints what a command came to, and sets the exit status. */
export function printEnded({ exitCode, json, out = '', err = '' }: Ended, flags: Pick<CommonOptions, 'json'>): void {
  if (flags.json) printJson(json);
  else {
    if (out !== '') writeToStdout(out);
    if (err !== '') writeToStderr(err);
  }
  process.exitCode = exitCode;
}

/**
 * Runs a command for one storage after the other. An error ends the work on its storage and not that on the others; an aborted
 * `signal` ends it for all. `more`: further fields of the object of --json. Prints what each came to, and sets the worst exit status.
 */
export async function forEachStorage(
  storages: readonly StorageSettings[],
  flags: Pick<CommonOptions, 'json'>,
  run: RunOne,
  signal?: AbortSignal,
  more: () => object = () => ({}),
): Promise<void> {
  const ends = new Map<string, object>();
  const codes: number[] = [];
  for (const [index, storage] of storages.entries()) {
    const { exitCode, json, out = '', err = '' } = await endOf(storage, () => run(storage, index), signal);
    ends.set(storage.name, json);
    codes.push(exitCode);
    if (flags.json) continue;
    writeToStdout(titled(storage.name, out));
    writeToStderr(titled(storage.name, err));
  }
  const exitCode = worstExit(codes);
  if (flags.json) printJson({ storages: Object.fromEntries(ends), ...more(), exitCode });
  process.exitCode = exitCode;
}

async function endOf(
  storage: StorageSettings,
  run: () => Ended | Promise<Ended>,
  signal: AbortSignal | undefined,
): Promise<Ended> {
  try {
    if (signal?.aborted) throw new Interrupted();
    return await run();
  } catch (error) {
    reportError(error, storage.name);
    return failedEnd(error);
  }
}

/** The end of a storage at which a command has thrown an error. */
export function failedEnd(error: unknown): Ended {
  const reason = error instanceof Error ? error.message : String(error);
  const json: Failed = { action: 'failed', reason, hint: hintOf(error) ?? null, exitCode: exitOfError(error) };
  return { exitCode: json.exitCode, json };
}

/** One line stands behind the name of its storage, several below it. */
export function titled(name: string, text: string): string {
  if (text === '') return '';
  return text.indexOf('\n') === text.length - 1 ? `${name}: ${text}` : `${name}:\n${text}`;
}
