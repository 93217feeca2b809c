import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Beside } from './beside.js';
import { Observed, type Sample, type SamplerSettings } from './samples.js';

/** Watches from the router who serves; see sampler-main.ts. */
export class Observer {
  private readonly settings: string;
  private readonly out: string;
  private readonly program: Beside;

  constructor(enter: readonly string[], directory: string, hosts: SamplerSettings['hosts']) {
    this.settings = join(directory, 'sampler.json');
    this.out = join(directory, 'samples.jsonl');
    this.follow(hosts);
    this.program = new Beside(enter, 'support/sampler-main.js', this.settings, this.out);
  }

  /** After each boot: the processes to read through. */
  follow(hosts: SamplerSettings['hosts']): void {
    const settings: SamplerSettings = { address: '192.168.1.10', port: 8100, role: '/srv/zeo/var/Data.fs.role', hosts };
    writeFileSync(`${this.settings}.new`, JSON.stringify(settings));
    renameSync(`${this.settings}.new`, this.settings);
  }

  observed(): Observed {
    return Observed.read(this.out);
  }

  now(): Sample | undefined {
    return this.observed().samples.at(-1);
  }

  end(): Promise<void> {
    return this.program.end();
  }
}
