import { inProject } from '../support/root.js';
import { python } from '../support/venv.js';
import { JsonLines } from './json-lines.js';

/** Up to where one of ZODB's readers takes a file; `error` when it raised there. */
export interface Reading {
  readonly end: number;
  readonly error?: string;
  readonly message?: string;
}

/** What ZODB says of a hostile file; see hostile_judge.py. */
export interface HostileVerdict {
  readonly scan: Reading;
  readonly fstest: Reading;
  readonly open: Reading;
}

/** The real ZODB, resident; asked about many files at once. */
export class HostileJudge {
  private readonly process = new JsonLines(python(), [inProject('test', 'zodb', 'hostile_judge.py')]);

  async judge(files: readonly Uint8Array[]): Promise<HostileVerdict[]> {
    const encoded = files.map((bytes) => Buffer.from(bytes).toString('base64'));
    return (await this.process.ask(encoded)) as HostileVerdict[];
  }

  close(): Promise<void> {
    return this.process.close();
  }
}
