import { inProject } from '../support/root.js';
import { python } from '../support/venv.js';
import { JsonLines } from './json-lines.js';

export interface Use {
  readonly error?: string;
  readonly opensAt?: number;
}

/** Another program that uses a Data.fs in place, with the real FileStorage and the real zc.lockfile. */
export class StorageUser {
  private readonly process = new JsonLines(python(), [inProject('test', 'zodb', 'storage_user.py')]);

  async grow(path: string, megabytes: number): Promise<void> {
    const answer = (await this.process.ask({ ask: 'grow', path, megabytes })) as Use;
    if (answer.error !== undefined) throw new Error(JSON.stringify(answer));
  }

  /** Opens the file read-write and keeps it open. */
  async open(path: string): Promise<Use> {
    return (await this.process.ask({ ask: 'open', path })) as Use;
  }

  /** Takes the file's lock, and nothing else. */
  async lock(path: string): Promise<Use> {
    return (await this.process.ask({ ask: 'lock', path })) as Use;
  }

  async release(): Promise<void> {
    await this.process.ask({ ask: 'release' });
  }

  close(): Promise<void> {
    return this.process.close();
  }
}
