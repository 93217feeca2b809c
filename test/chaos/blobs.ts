import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { inProject } from '../support/root.js';
import { python } from '../support/venv.js';
import { JsonLines } from '../zodb/json-lines.js';

/** What blob_oracle.py finds. All are paths relative to the slave's blob directory. */
interface Shown {
  readonly named: number;
  readonly missing: readonly string[];
  readonly wrong: readonly string[];
  /** Names of blobs that no transaction of the slave names, and those of them that no manifest has. */
  readonly extra: readonly string[];
  readonly unrecorded: readonly string[];
  /** Names that are no blob's, and those of them that are copies of blobs that are there. */
  readonly others: readonly string[];
  readonly unfinished: readonly string[];
}

/** The blobs of a slave under chaos. */
export class ChaosBlobs {
  private readonly oracle = new JsonLines(python(), [inProject('test', 'zodb', 'blob_oracle.py')]);
  /**
   * Files that may stay although nothing names them. A killed run had not yet recorded these copies, complete or not, and
   * then a pack removed their transactions from the master. To a later sync nothing proves that they are its own, and
   * it comes to their directories no more.
   */
  private readonly leftByKill = new Set<string>();
  /** Blobs of an old slave that was kept aside. They stay, because it needs them; nothing records them any more. */
  private readonly ofKeptAside = new Set<string>();
  /** What nothing named after the run before. */
  private extraBefore: ReadonlySet<string> = new Set();
  private most = 0;
  private orphans = 0;
  private served = 0;

  constructor(
    readonly master: string,
    readonly slave: string,
  ) {}

  /**
   * Every blob that the slave's transactions name is there, and has the bytes that were committed. A run that was not
   * killed has recorded what it has copied; it may forget what a killed one before it had noted for nothing.
   */
  async assertShown(data: string, end: number, isKilled: boolean, what: string): Promise<void> {
    const { named, missing, wrong, extra, unrecorded, others } = await this.look(data, end);
    assert.deepEqual(missing, [], `${what}: visible transactions whose blob has no file`);
    assert.deepEqual(wrong, [], `${what}: blobs with wrong contents`);
    this.most = Math.max(this.most, named);
    await this.noteKeptAside(data);
    const left = [...unrecorded, ...others].filter((name) => this.isUnexplained(name));
    const own = left.filter((name) => !this.extraBefore.has(name));
    if (!isKilled) assert.deepEqual(own, [], `${what}: copies that nothing records`);
    this.extraBefore = new Set([...extra, ...others]);
    for (const name of left) this.leftByKill.add(name);
  }

  /** Besides, the directory has nothing else, and real ZODB reads every blob. */
  async assertInStep(data: string, what: string): Promise<void> {
    const { extra, others, unfinished } = await this.look(data, null);
    const unexplained = [...extra, ...others].filter((name) => this.isUnexplained(name));
    assert.deepEqual(unexplained, [], `${what}: files in the blob directory that nothing names`);
    assert.deepEqual(unfinished, [], `${what}: unfinished copies of blobs that are there`);
    this.orphans = [...extra, ...others].filter((name) => !this.ofKeptAside.has(name)).length;
    this.served = (await this.ask({ ask: 'open', path: data, blobs: this.slave })) as number;
  }

  summary(): string {
    return `up to ${this.most} blobs, ${this.served} served at last, ${this.orphans} left by killed runs`;
  }

  close(): Promise<void> {
    return this.oracle.close();
  }

  private async look(data: string, end: number | null): Promise<Shown> {
    const { slave, master } = this;
    return (await this.ask({ ask: 'shown', path: data, data, end, blobs: slave, master })) as Shown;
  }

  private isUnexplained(name: string): boolean {
    return !this.leftByKill.has(name) && !this.ofKeptAside.has(name);
  }

  private async noteKeptAside(data: string): Promise<void> {
    for (const name of readdirSync(dirname(data)).filter((each) => each.includes('.only-here-'))) {
      const names = (await this.ask({ ask: 'named', path: join(dirname(data), name) })) as string[];
      for (const each of names) this.ofKeptAside.add(each);
    }
  }

  private async ask(question: object): Promise<unknown> {
    const answer = await this.oracle.ask(question);
    const error = typeof answer === 'object' && answer !== null && 'error' in answer ? answer.error : undefined;
    assert.equal(error, undefined, `${JSON.stringify(question)}: ${error}`);
    return answer;
  }
}
