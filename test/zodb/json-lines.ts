import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/** A program that answers each line of JSON on its stdin with one line of JSON on its stdout, in order. */
export class JsonLines {
  private readonly child: ChildProcess;
  private readonly waiting: { resolve: (answer: unknown) => void; reject: (error: Error) => void }[] = [];
  private ended: Error | undefined;

  constructor(program: string, args: readonly string[]) {
    this.child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    this.child.on('error', (error) => this.end(error));
    this.child.on('exit', (code, signal) => this.end(new Error(`${program} ${args[0]} ended: ${code ?? signal}`)));
    createInterface({ input: this.child.stdout! }).on('line', (line) =>
      this.waiting.shift()?.resolve(JSON.parse(line)),
    );
  }

  ask(question: object): Promise<unknown> {
    if (this.ended) return Promise.reject(this.ended);
    return new Promise((resolve, reject) => {
      this.waiting.push({ resolve, reject });
      this.child.stdin!.write(`${JSON.stringify(question)}\n`);
    });
  }

  async close(): Promise<void> {
    if (this.ended) return;
    const gone = once(this.child, 'exit');
    this.child.stdin!.end();
    await gone;
  }

  private end(error: Error): void {
    this.ended ??= error;
    for (const { reject } of this.waiting.splice(0)) reject(this.ended);
  }
}
