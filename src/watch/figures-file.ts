import { IoFault } from '../io/fault.js';
import type { Monitored } from '../monitor/monitored.js';
import { writeFigures } from '../monitor/textfile.js';
import type { Log } from '../report/log.js';

/** Between two writes. */
const EVERY_MS = 15_000;
const FIRST_MS = 1000;

/** Writes the figures again and again. A failure is logged once until it works again. */
export class FiguresFile {
  private readonly timer: NodeJS.Timeout;
  private failing = false;
  private writing = false;

  constructor(
    private readonly path: string,
    private readonly monitored: Monitored,
    private readonly log: Log,
  ) {
    this.timer = setInterval(() => this.write(), EVERY_MS);
    this.timer.unref();
    setTimeout(() => this.write(), FIRST_MS).unref();
  }

  close(): void {
    clearInterval(this.timer);
  }

  private async write(): Promise<void> {
    if (this.writing) return;
    this.writing = true;
    try {
      await writeFigures(this.path, this.monitored);
      this.failing = false;
    } catch (error) {
      if (!(error instanceof IoFault)) throw error;
      if (!this.failing) this.log.error({ hint: `the watch goes on; make ${this.path} writable` }, error.message);
      this.failing = true;
    } finally {
      this.writing = false;
    }
  }
}
