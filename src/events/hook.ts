import { isAbsolute } from 'node:path';
import type { IoFault } from '../io/fault.js';
import { type Program, type ProgramEnd, runProgram } from '../io/program.js';
import { formatSeconds } from '../report/numbers.js';
import type { Facts } from './event.js';

/** What a hook gets: an event, or the moment before something is done. */
export interface HookCall {
  /** The name of the hook. */
  readonly name: string;
  readonly time: string;
  readonly storage: string | null;
  readonly slave: string;
  readonly message: string;
  readonly facts: Facts;
}

/** How a hook ended. */
export interface HookEnd {
  readonly ok: boolean;
  /** In words, after "the hook NAME". */
  readonly how: string;
  /** What to do about it; undefined where the hook has run to its end. */
  readonly hint: string | undefined;
  /** The end of what it has printed. */
  readonly output: string;
}

/** In characters; one variable may have 128 KiB. */
const LONGEST_VARIABLE = 4096;

/** The program for a call, or why there is none. */
export function programOf(command: readonly string[], call: HookCall, seconds: number): Program | HookEnd {
  const [path = '', ...args] = command;
  if (!isAbsolute(path))
    return notStarted(`names ${path === '' ? 'no program' : path}`, 'name the program by its absolute path');
  if (command.some((part) => part.includes('\0')))
    return notStarted(`has a NUL in its command (${path})`, 'remove it from the configuration');
  return { command: [path, ...args], input: `${JSON.stringify(call)}\n`, environment: environmentOf(call), seconds };
}

/** Runs a hook to its end. For `release` see runProgram. */
export async function runHook(
  command: readonly string[],
  call: HookCall,
  seconds: number,
  release?: AbortSignal,
): Promise<HookEnd> {
  const program = programOf(command, call, seconds);
  return 'ok' in program ? program : endOf(program, await runProgram(program, release));
}

export function faultOf(path: string, fault: IoFault): HookEnd {
  return notStarted(`cannot be run: ${fault.message}`, HINTS[fault.code]?.(path) ?? `can this user run ${path}?`);
}

const HINTS: Readonly<Record<string, (path: string) => string>> = {
  ENOENT: (path) => `is there a ${path}, and the interpreter that its first line names?`,
  EACCES: (path) => `make ${path} executable, and its directory accessible, for the user that runs syncpozo`,
};

function endOf({ command: [path], seconds }: Program, end: ProgramEnd): HookEnd {
  switch (end.kind) {
    case 'not started':
      return faultOf(path, end.fault);
    case 'exit':
      return { ok: end.status === 0, how: `ended with ${end.status} (${path})`, hint: undefined, output: end.output };
    case 'signal':
      return { ok: false, how: `was ended by ${end.signal} (${path})`, hint: undefined, output: end.output };
    case 'timeout':
      return {
        ok: false,
        how: `was ended after ${formatSeconds(seconds)} (${path})`,
        hint: undefined,
        output: end.output,
      };
  }
}

function notStarted(how: string, hint: string): HookEnd {
  return { ok: false, how, hint, output: '' };
}

/** The last line that a hook has printed; undefined without one. */
export function lastLineOf({ output }: HookEnd): string | undefined {
  return output
    .split('\n')
    .map((line) => line.trim())
    .findLast((line) => line !== '');
}

/** `SYNCPOZO_EVENT`, `SYNCPOZO_LAST_TID`: each field, and each fact by its name in capitals; empty: not known. */
export function environmentOf({ name, time, storage, slave, message, facts }: HookCall): Record<string, string> {
  const all = { ...facts, event: name, time, storage, slave, message };
  return Object.fromEntries(
    Object.entries(all).map(([key, value]) => [
      `SYNCPOZO_${key.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`,
      String(value ?? '')
        .replaceAll('\0', '')
        .slice(0, LONGEST_VARIABLE),
    ]),
  );
}
