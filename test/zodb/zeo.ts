import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { python } from '../support/venv.js';

/** A process of the test that `end` terminates for certain. */
export class Started {
  readonly child: ChildProcess;
  private readonly gone: Promise<unknown>;

  constructor(
    private readonly log: string,
    program: string,
    args: readonly string[],
  ) {
    const fd = openSync(log, 'a');
    this.child = spawn(program, args, { stdio: ['ignore', fd, fd] });
    closeSync(fd);
    this.gone = once(this.child, 'exit');
  }

  get isRunning(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  /** Its output so far. */
  get output(): string {
    return readFileSync(this.log, 'utf8');
  }

  /** SIGTERM, and SIGKILL if it is still running after five seconds. */
  async end(): Promise<void> {
    if (!this.isRunning) return;
    this.child.kill('SIGTERM');
    const stubborn = setTimeout(() => this.child.kill('SIGKILL'), 5_000);
    await this.gone;
    clearTimeout(stubborn);
  }
}

export interface ZeoOptions {
  readonly directory: string;
  readonly file: string;
  readonly packKeepOld: boolean;
  /** Its blob directory. */
  readonly blobs?: string;
  /** Its name; 1 by default. */
  readonly name?: string;
  /** A second storage, served by the same server. */
  readonly another?: { readonly name: string; readonly file: string };
}

/** A ZEO server on a free port of the loopback, as runzeo starts it. */
export class Zeo {
  private constructor(
    readonly port: number,
    readonly process: Started,
  ) {}

  /** Throws with the server's output if it does not listen after twenty seconds. */
  static async start({ directory, file, packKeepOld, blobs, name = '1', another }: ZeoOptions): Promise<Zeo> {
    const port = await freePort();
    const config = join(directory, `zeo-${port}.conf`);
    writeFileSync(
      config,
      `<zeo>\n  address 127.0.0.1:${port}\n  transaction-timeout 20\n  pid-filename ${config}.pid\n</zeo>\n` +
        `<filestorage ${name}>\n  path ${file}\n  pack-keep-old ${packKeepOld}\n` +
        `${blobs === undefined ? '' : `  blob-dir ${blobs}\n`}</filestorage>\n` +
        (another ? `<filestorage ${another.name}>\n  path ${another.file}\n</filestorage>\n` : ''),
    );
    const process = new Started(`${config}.log`, python(), ['-m', 'ZEO.runzeo', '-C', config]);
    for (let waited = 0; waited < 400 && process.isRunning; waited++) {
      if (process.output.includes('listening on')) return new Zeo(port, process);
      await sleep(50);
    }
    await process.end();
    throw new Error(`ZEO does not serve ${file}:\n${process.output}`);
  }

  end(): Promise<void> {
    return this.process.end();
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
