const PROGRESS_MS = 200;

/** Shows what is being measured: one line on a terminal, or else a line after each size. */
export class Progress {
  private last = 0;

  constructor(private readonly where: string) {}

  readonly show = (what: string): void => {
    if (!process.stderr.isTTY || performance.now() - this.last < PROGRESS_MS) return;
    this.last = performance.now();
    process.stderr.write(`\r\x1b[K${this.where}: ${what}`);
  };

  end(): void {
    if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
    else process.stderr.write(`${this.where}: done\n`);
  }
}
