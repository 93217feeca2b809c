import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { inProject } from '../support/root.js';
import { python } from '../support/venv.js';
import { JsonLines } from './json-lines.js';

/** ZODB's verdict on a file; see judge.py. */
export interface Verdict {
  readonly committedEnd: number;
  readonly lastTid: string;
  readonly oids: number;
  readonly size: number;
  readonly opensAt: number;
  readonly indexUsed: boolean;
  /** The index that FileStorage uses equals that of a scan of the whole file. */
  readonly indexRight: boolean;
}

export interface Service extends Verdict {
  readonly sizeAfter: number;
  readonly setAside: number;
}

export interface Refusal {
  readonly error: string;
  readonly message: string;
}

/** The real ZODB in a long-lived process: a few milliseconds per question. */
export class Judge {
  private readonly process = new JsonLines(python(), [inProject('test', 'zodb', 'judge.py')]);

  /** The result of a read-only FileStorage for the file. */
  async read(path: string): Promise<Verdict | Refusal> {
    return (await this.process.ask({ ask: 'read', path })) as Verdict | Refusal;
  }

  /** The result of a read-write FileStorage for a copy of the file. */
  async serve(path: string): Promise<Service | Refusal> {
    return (await this.process.ask({ ask: 'serve', path })) as Service | Refusal;
  }

  /** The slave equals `expected`, and ZODB finds its committed end at the end of the file. */
  async assertSlave(path: string, expected: Buffer, what: string): Promise<Verdict> {
    const bytes = readFileSync(path);
    assert.equal(bytes.length, expected.length, `${what}: length of the slave`);
    assert.ok(
      bytes.equals(expected),
      `${what}: the slave differs from the master at ${firstDifference(bytes, expected)}`,
    );
    return this.assertComplete(path, what);
  }

  /** ZODB finds the file's committed end at its end. */
  async assertComplete(path: string, what: string): Promise<Verdict> {
    const verdict = await this.read(path);
    assert.ok(!('error' in verdict), `${what}: ${JSON.stringify(verdict)}`);
    assert.equal(verdict.committedEnd, verdict.size, `${what}: committed end is the end of the file`);
    assert.equal(verdict.opensAt, verdict.size, `${what}: FileStorage opens at the end of the file`);
    assert.ok(verdict.indexRight, `${what}: the index is right`);
    return verdict;
  }

  /** A read-write FileStorage opens the file and leaves it unchanged. */
  async assertServes(path: string, what: string): Promise<Service> {
    const service = await this.serve(path);
    assert.ok(!('error' in service), `${what}: ${JSON.stringify(service)}`);
    assert.equal(service.opensAt, service.size, `${what}: opens for serving at the end of the file`);
    assert.equal(service.sizeAfter, service.size, `${what}: nothing was cut off`);
    assert.equal(service.setAside, 0, `${what}: nothing was set aside`);
    assert.ok(service.indexRight, `${what}: the index is right`);
    return service;
  }

  close(): Promise<void> {
    return this.process.close();
  }
}

export function firstDifference(one: Buffer, other: Buffer): number {
  const length = Math.min(one.length, other.length);
  for (let position = 0; position < length; position++) if (one[position] !== other[position]) return position;
  return length;
}
