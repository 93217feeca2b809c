import { inProject } from '../support/root.js';
import { python } from '../support/venv.js';
import { JsonLines } from './json-lines.js';

/** The real ZODB's index, in a long-lived process; see index_judge.py. */
export class IndexJudge {
  private readonly process = new JsonLines(python(), [inProject('test', 'zodb', 'index_judge.py')]);

  async save(path: string, end: number, entries: string): Promise<void> {
    await this.process.ask({ ask: 'save', path, end, entries });
  }

  async load(path: string): Promise<{ readonly end: number; readonly entries: string }> {
    return (await this.process.ask({ ask: 'load', path })) as { end: number; entries: string };
  }

  /** Writes to `path` the index that FileStorage builds for a Data.fs. */
  async scan(data: string, path: string): Promise<void> {
    await this.process.ask({ ask: 'scan', data, path });
  }

  /** As `scan`; and whether FileStorage uses the index beside a Data.fs, and whether its last transaction has an object twice. */
  async scanAndOpen(data: string, path: string): Promise<{ readonly used: boolean; readonly twice: boolean }> {
    return (await this.process.ask({ ask: 'scan and open', data, path })) as { used: boolean; twice: boolean };
  }

  close(): Promise<void> {
    return this.process.close();
  }
}
