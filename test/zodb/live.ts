import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { inProject } from '../support/root.js';
import { withTempDir } from '../support/site.js';
import { python } from '../support/venv.js';
import { Generations } from './generations.js';
import type { Judge } from './judge.js';
import { syncByProcess } from './syncer.js';
import { Started, Zeo } from './zeo.js';

export interface LiveOptions {
  readonly seconds: number;
  readonly seed: string;
  readonly packKeepOld: boolean;
}

const ROLES = ['writer', 'writer', 'mortal', 'packer'];
const CHUNK_SIZES = [undefined, undefined, 64 << 10, 1 << 20];

/**
 * A real ZEO server under load, synced repeatedly by the command line. After each sync the slave must be, byte for byte, a
 * prefix of the current generation, at least as long as the committed part before the sync; and ZODB must find
 * its committed end at its end.
 */
export async function liveCampaign(judge: Judge, options: LiveOptions): Promise<string> {
  return withTempDir(async (directory) => {
    const master = join(directory, 'master', 'Data.fs');
    mkdirSync(join(directory, 'master'));
    mkdirSync(join(directory, 'slave'));
    const zeo = await Zeo.start({ directory, file: master, packKeepOld: options.packKeepOld });
    const clients = new Clients(directory, zeo.port, options.seed);
    try {
      await untilItHasTransactions(judge, master);
      return await syncLoop(judge, directory, master, clients, options);
    } finally {
      await clients.end();
      await zeo.end();
    }
  });
}

async function syncLoop(
  judge: Judge,
  directory: string,
  master: string,
  clients: Clients,
  options: LiveOptions,
): Promise<string> {
  const generations = new Generations(master, directory);
  const actions = new Map<string, number>();
  const until = Date.now() + options.seconds * 1000;
  const statusFile = join(directory, 'syncPozo.status');
  let syncs = 0;
  let transferred = 0;
  try {
    while (Date.now() < until) {
      clients.revive();
      const what = `sync ${syncs} (seed ${options.seed}, pack-keep-old ${options.packKeepOld})`;
      const oldest = generations.probe();
      const before = await judge.read(generations.pathOf(oldest));
      const chunkBytes = CHUNK_SIZES[syncs % CHUNK_SIZES.length];
      const outcome = await syncByProcess(join(directory, 'master'), join(directory, 'slave'), {
        statusFile,
        ...(chunkBytes === undefined ? {} : { chunkBytes }),
      });
      assert.equal(outcome.exitCode, 0, `${what}: exit status\n${outcome.output}`);
      actions.set(outcome.action, (actions.get(outcome.action) ?? 0) + 1);

      const slave = readFileSync(join(directory, 'slave', 'Data.fs'));
      const generation = generations.find(slave, oldest);
      if (generation === oldest && !('error' in before)) {
        assert.ok(
          slave.length >= before.committedEnd,
          `${what}: ${slave.length} of at least ${before.committedEnd} bytes`,
        );
      }
      const verdict = await judge.assertComplete(join(directory, 'slave', 'Data.fs'), what);
      if (syncs % 10 === 0) await judge.assertServes(join(directory, 'slave', 'Data.fs'), what);
      generations.forgetBefore(generation);
      transferred = Math.max(transferred, verdict.size);
      syncs++;
    }
  } finally {
    generations.stop();
  }
  const done = [...actions].map(([action, count]) => `${action} ${count}`).join(', ');
  return `${syncs} syncs (${done}), ${generations.count - 1} packs seen, largest slave ${transferred} bytes, ${clients.deaths} clients died`;
}

export async function untilItHasTransactions(judge: Judge, master: string): Promise<void> {
  for (let waited = 0; waited < 200; waited++) {
    const verdict = await judge.read(master);
    if (!('error' in verdict) && verdict.committedEnd > 4) return;
    await sleep(50);
  }
  assert.fail('no client has committed anything within ten seconds');
}

/** Clients that cause everything that can happen to a Data.fs. */
export class Clients {
  deaths = 0;
  private readonly running = new Map<number, Started>();

  constructor(
    private readonly directory: string,
    private readonly port: number,
    private readonly seed: string,
    /** The server's blob directory: half of the clients write to it themselves, the others through the server. */
    private readonly blobs?: string,
  ) {
    for (const index of ROLES.keys()) this.start(index);
  }

  /** Restarts the ones that died between vote and finish; any other end is a fault of the test. */
  revive(): void {
    for (const [index, client] of this.running) {
      if (client.isRunning) continue;
      assert.equal(client.child.exitCode, 7, `a ${ROLES[index]} ended:\n${client.output}`);
      this.deaths++;
      this.start(index);
    }
  }

  async end(): Promise<void> {
    await Promise.all([...this.running.values()].map((client) => client.end()));
  }

  private start(index: number): void {
    const script = inProject('test', 'zodb', 'zeo_client.py');
    const log = join(this.directory, `client-${index}.log`);
    const args = [script, String(this.port), `${this.seed}-${index}-${this.deaths}`, ROLES[index]!];
    if (this.blobs !== undefined && index % 2 === 0) args.push('shared', this.blobs);
    else if (this.blobs !== undefined) args.push('cached', join(this.directory, `cache-${index}`));
    this.running.set(index, new Started(log, python(), args));
  }
}
