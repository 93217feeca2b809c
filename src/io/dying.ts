import fs from 'node:fs';
import { listOrNothing } from './proc.js';

/**
 * Numbers of system calls that change nothing on any disk: read, stat, open (see `isHarmless`), close and their
 * variants. From the kernel's tables (arch/x86/entry/syscalls/syscall_64.tbl, include/uapi/asm-generic/unistd.h).
 */
const HARMLESS: Readonly<Record<string, ReadonlySet<number>>> = {
  x64: new Set([0, 3, 4, 5, 6, 17, 21, 78, 89, 217, 262, 267, 269, 295, 327, 332, 439]),
  arm64: new Set([48, 57, 61, 63, 67, 69, 78, 79, 80, 286, 291, 439]),
};
/** open and openat, with the index of the argument that holds the flags. */
const OPENS: Readonly<Record<string, ReadonlyMap<number, number>>> = {
  x64: new Map([
    [2, 1],
    [257, 2],
  ]),
  arm64: new Map([[56, 2]]),
};
const SIGKILL_BIT = 1n << 8n;

/**
 * Whether a process will never again execute an instruction in user space, and is in no system call that changes a
 * disk: it has been sent SIGKILL and hangs in the kernel, in a read from a mount that does not answer. Such a process
 * cannot be ended, and it keeps its locks.
 *
 * The proof depends on the order of the checks. A thread with a pending SIGKILL ends before it returns to user space,
 * so the call in which it is seen afterwards is its last one. Where the system does not show one of these facts, the
 * answer is no.
 */
export function isDying(pid: string): boolean {
  try {
    const threads = fs.readdirSync(`/proc/${pid}/task`);
    return threads.length > 0 && threads.every((thread) => isThreadDying(`/proc/${pid}/task/${thread}`));
  } catch {
    // It ended during the check, or it belongs to another user.
    return false;
  }
}

function isThreadDying(directory: string): boolean {
  const status = fs.readFileSync(`${directory}/status`, 'utf8');
  const state = /^State:\s*(\S)/m.exec(status)?.[1];
  if (state === 'Z' || state === 'X') return true;
  const pending = ['SigPnd', 'ShdPnd'].map((name) => new RegExp(`^${name}:\\s*([0-9a-f]+)$`, 'm').exec(status)?.[1]);
  const killed = pending.some((mask) => mask !== undefined && (BigInt(`0x${mask}`) & SIGKILL_BIT) !== 0n);
  return killed && state === 'D' && isHarmless(fs.readFileSync(`${directory}/syscall`, 'utf8'));
}

/** `call`: the call's number in decimal and its arguments in hexadecimal, or a word when the thread is in no call. */
function isHarmless(call: string): boolean {
  const [number = '', ...args] = call.trim().split(' ');
  if (!/^\d+$/.test(number)) return false;
  if (HARMLESS[process.arch]?.has(Number(number))) return true;
  const flagsAt = OPENS[process.arch]?.get(Number(number));
  return flagsAt !== undefined && (Number(args[flagsAt]) & (fs.constants.O_CREAT | fs.constants.O_TRUNC)) === 0;
}

/**
 * Whether a process has the file at `path` open; undefined where the system does not show it. Reads only the kernel's
 * list of names: stat on the files themselves would hang on a mount that hangs. Checks every thread, because the list
 * of a thread that has ended is empty.
 */
export function hasOpen(pid: string, path: string): boolean | undefined {
  let answer: boolean | undefined;
  for (const thread of listOrNothing(`/proc/${pid}/task`)) {
    const directory = `/proc/${pid}/task/${thread}/fd`;
    for (const descriptor of listOrNothing(directory)) {
      answer ??= false;
      try {
        if (fs.readlinkSync(`${directory}/${descriptor}`) === path) return true;
      } catch {
        // Closed in the meantime.
      }
    }
  }
  return answer;
}
