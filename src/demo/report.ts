/** What a step did and found, and whether each thing that it had to find was there. */
export interface StepReport {
  readonly title: string;
  readonly ok: boolean;
  readonly found: readonly string[];
  readonly checks: readonly Check[];
}

export interface Check {
  readonly expected: string;
  readonly ok: boolean;
  /** What was there instead. */
  readonly instead?: string;
}

/** Takes down one step while it runs. */
export class StepRecorder {
  private readonly found: string[] = [];
  private readonly checks: Check[] = [];

  /** `print` gets every line as it comes. */
  constructor(
    private readonly title: string,
    private readonly print: (line: string) => void,
  ) {
    print(`\n${title}`);
  }

  /** A fact that was found, for the reader. */
  note(fact: string): void {
    this.found.push(fact);
    this.print(`    ${fact}`);
  }

  /** A thing that must be so. */
  check(expected: string, ok: boolean, instead?: string): void {
    this.checks.push({ expected, ok, ...(ok || instead === undefined ? {} : { instead }) });
    this.print(
      ok ? `    ok: ${expected}` : `    NOT AS EXPECTED: ${expected}${instead ? `; instead: ${instead}` : ''}`,
    );
  }

  /** Two values that must be the same. */
  equal(expected: string, actual: string | number, value: string | number): void {
    this.check(expected, actual === value, `${actual}, not ${value}`);
  }

  get report(): StepReport {
    const { title, found, checks } = this;
    return { title, ok: checks.every(({ ok }) => ok), found, checks };
  }
}

/** 1,234,567 bytes as people read them. */
export function inMiB(bytes: number): string {
  return bytes < 1024 * 1024 ? `${bytes.toLocaleString('en')} bytes` : `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
}

export function counted(count: number, noun: string): string {
  return `${count.toLocaleString('en')} ${noun}${count === 1 ? '' : 's'}`;
}
