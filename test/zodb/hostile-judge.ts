import { inProject } from '../support/root.js';
import { python } from '../support/venv.js';
import { JsonLines } from './json-lines.js';

/** The end that one of ZODB's readers reaches; `error` if it raised there. */
export interface Reading {
  readonly end: number;
  readonly error?: string;
  readonly message?: string;
}

/** ZODB's verdict on a hostile file; see hostile_judge.py. */
export interface HostileVerdict {
  readonly scan: Reading;
  readonly fstest: Reading;
  readonly open: Reading;
}

/** The real ZODB in a long-lived process; judges many files per request. */
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
