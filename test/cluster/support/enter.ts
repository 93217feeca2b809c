import { spawn } from 'node:child_process';

/** A program that reads from a mount whose server is gone takes no signal. */
const GRACE_MS = 5000;

export interface Result {
  /** As a shell has it: 128 and the signal's number for a program that a signal has ended; 137 for one that took too long. */
  readonly status: number;
  /** Standard output and standard error. */
  readonly output: string;
}

/** Enters namespaces: `args` are those of nsenter, and what runs there has its own limit, `limitMs`. */
export function enter(args: readonly string[], input?: string, limitMs = 120_000): Promise<Result> {
  const child = spawn('nsenter', args, { stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'inherit'] });
  child.stdin?.on('error', () => undefined).end(input);
  let output = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => {
      child.kill('SIGKILL');
      child.stdout?.destroy();
      resolve({ status: 137, output });
    }, limitMs + GRACE_MS);
    child.on('error', reject);
    child.on('close', (code, signal) => {
      clearTimeout(late);
      resolve({ status: code ?? (signal === 'SIGKILL' ? 137 : 128), output });
    });
  });
}
