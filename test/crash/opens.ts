import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inProject } from '../support/root.js';
import { python } from '../support/venv.js';
import { JsonLines } from '../zodb/json-lines.js';
import { digestOf, type Image } from './image.js';

/** What a FileStorage shows of a Data.fs and its index when a server opens them. */
export type Opening =
  | { readonly opensAt: number; readonly indexUsed: boolean; readonly indexRight: boolean }
  | { readonly error: string };

/** The number of files per request. */
const BATCH = 64;

/** The real FileStorage, in one long-lived Python process. Each pair of file and index is opened once. */
export class Openings {
  private readonly process = new JsonLines(python(), [inProject('test', 'crash', 'opens.py')]);
  private readonly known = new Map<string, Promise<Opening>>();
  private waiting: { readonly path: string; readonly resolve: (answer: Opening) => void }[] = [];
  private count = 0;

  constructor(private readonly scratch: string) {
    mkdirSync(scratch);
  }

  /** Requests are collected: `flush` sends them. */
  ask(data: Image, index: Image | undefined): Promise<Opening> {
    const key = `${digestOf(data)} ${index ? digestOf(index) : ''}`;
    let answer = this.known.get(key);
    if (!answer) {
      const path = join(this.scratch, `${this.count++}.fs`);
      writeFileSync(path, data.bytes);
      if (index) writeFileSync(`${path}.index`, index.bytes);
      answer = new Promise((resolve) => this.waiting.push({ path, resolve }));
      this.known.set(key, answer);
      if (this.waiting.length >= BATCH) this.flush();
    }
    return answer;
  }

  flush(): void {
    const asked = this.waiting;
    this.waiting = [];
    if (asked.length === 0) return;
    this.process.ask({ paths: asked.map(({ path }) => path) }).then(
      (answers) => {
        for (const [index, { resolve }] of asked.entries()) {
          resolve((answers as Opening[])[index] ?? { error: 'the judge has given no answer' });
        }
      },
      () => {
        for (const { resolve } of asked) resolve({ error: 'the judge has ended' });
      },
    );
  }

  /** Writes the index beside a file, as a server does at shutdown. */
  async makeIndex(path: string): Promise<void> {
    await this.process.ask({ index: path });
  }

  async close(): Promise<void> {
    await this.process.close();
    rmSync(this.scratch, { recursive: true, force: true });
  }
}
