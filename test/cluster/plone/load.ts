import { join } from 'node:path';
import { Beside } from '../support/beside.js';
import type { Visitors } from '../support/load.js';
import { ADDRESS, type Pair } from '../support/pair.js';
import { readNotes } from '../support/requests.js';
import { isAcknowledged, type LoadSettings, type Visit, type Write } from './visits.js';

let started = 0;

/** Editors and readers of the Plone site, at the floating address, until `end`. No two of a test have an id in common. */
export class PloneLoad implements Visitors {
  private readonly program: Beside;
  private readonly out: string;

  constructor(pair: Pair, settings: Partial<LoadSettings> = {}) {
    const firstId = ++started * 1_000_000;
    const usual = { server: ADDRESS, writers: 3, readers: 1, pauseMs: 50, timeoutMs: 15_000, firstId };
    this.out = join(pair.network.dir, `plone-${started}.jsonl`);
    this.program = new Beside(
      pair.network.enter,
      'plone/load-main.js',
      JSON.stringify({ ...usual, ...settings }),
      this.out,
    );
  }

  visits(): readonly Visit[] {
    return readNotes<Visit>(this.out);
  }

  acknowledged(): readonly Write[] {
    return this.visits().filter(isAcknowledged);
  }

  async end(): Promise<readonly Visit[]> {
    await this.program.end();
    return this.visits();
  }
}
