import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Running } from '../support/cli.js';
import { eventually } from '../support/eventually.js';
import { get } from '../support/monitored.js';

/** Far longer than the pauses that a watch makes behind failures. */
const LONGEST_WAIT_MS = 40_000;

/** A watch whose figures and health checks are asked for over HTTP, as a monitor does. */
export class Asked {
  private constructor(private readonly port: number) {}

  /** The watch was started with `--listen 127.0.0.1:0`: its log names the port. */
  static async of(watch: Running): Promise<Asked> {
    const address = (): unknown =>
      watch.soFar.records.find(({ msg }) => msg === 'figures and the status page are served')?.['address'];
    await eventually('it serves its figures', () => address() !== undefined || watch.ended);
    return new Asked(Number(String(address()).split(':').at(-1)));
  }

  async statusOf(path: string): Promise<number> {
    return (await get(this.port, path)).status;
  }

  async text(path: string): Promise<string> {
    return (await get(this.port, path)).text;
  }

  // biome-ignore lint/suspicious/noExplicitAny: tests read single fields; test/monitor/json-contract checks the shape of all.
  async json(path: string): Promise<any> {
    return JSON.parse(await this.text(path));
  }

  /** The value of a metric of a storage; undefined: it has none. `label` is a part of its labels. */
  async metric(name: string, storage: string, label = ''): Promise<number | undefined> {
    const lines = (await this.text('/metrics')).split('\n');
    const line = lines.find(
      (each) => each.startsWith(`${name}{`) && each.includes(`storage="${storage}"`) && each.includes(label),
    );
    return line === undefined ? undefined : Number(line.split(' ').at(-1));
  }

  /** Waits until an answer has this status. */
  async until(path: string, status: number): Promise<void> {
    await this.untilTrue(`${path} is ${status}`, async () => (await this.statusOf(path)) === status);
  }

  async untilTrue(what: string, holds: () => Promise<boolean>): Promise<void> {
    const until = Date.now() + LONGEST_WAIT_MS;
    while (!(await holds())) {
      if (Date.now() > until)
        assert.fail(`${what}: not within ${LONGEST_WAIT_MS} ms\n${await this.text('/status.json')}`);
      await sleep(50);
    }
  }
}
