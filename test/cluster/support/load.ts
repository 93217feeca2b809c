import { Beside } from './beside.js';
import { isAcknowledged, type LoadSettings, type Noted, type Request, readNotes } from './requests.js';

/** Somebody whose writes are noted while they go on. */
export interface Visitors {
  /** The writes that were acknowledged to them so far. */
  acknowledged(): readonly Noted[];
}

let started = 0;

/** Visitors of the site, who write and read until `end`. No two loads of a test have an id in common. */
export class Load implements Visitors {
  private readonly program: Beside;

  /** `enter`: runs a command where the visitors are; `out`: where the program writes what they note. */
  constructor(
    enter: readonly string[],
    private readonly out: string,
    settings: Partial<LoadSettings> = {},
  ) {
    const all: LoadSettings = {
      host: '192.168.1.10',
      writers: 3,
      readers: 2,
      blobEach: 7,
      pauseMs: 50,
      timeoutMs: 10_000,
      firstId: ++started * 1_000_000,
      ...settings,
    };
    this.program = new Beside(enter, 'support/load-main.js', JSON.stringify(all), out);
  }

  /** What they have noted so far. */
  requests(): readonly Request[] {
    return readNotes<Request>(this.out);
  }

  acknowledged(): readonly Request[] {
    return this.requests().filter(isAcknowledged);
  }

  async end(): Promise<readonly Request[]> {
    await this.program.end();
    return this.requests();
  }
}
