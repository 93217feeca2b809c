/** What a step did and found, and the result of each of its checks. */
export interface StepReport {
  readonly title: string;
  readonly ok: boolean;
  readonly found: readonly string[];
  readonly checks: readonly Check[];
}

export interface Check {
  readonly expected: string;
  readonly ok: boolean;
  /** What was found instead. */
  readonly instead?: string;
}

/** Records one step while it runs. */
export class StepRecorder {
  private readonly found: string[] = [];
  private readonly checks: Check[] = [];

  /** `print` receives every line as soon as it is known. */
  constructor(
    private readonly title: string,
    private readonly print: (line: string) => void,
  ) {
    print(`\n${title}`);
  }

  /** Notes a fact for the reader. */
  note(fact: string): void {
    this.found.push(fact);
    this.print(`    ${fact}`);
  }

  /** Checks a condition. */
  check(expected: string, ok: boolean, instead?: string): void {
    this.checks.push({ expected, ok, ...(ok || instead === undefined ? {} : { instead }) });
    this.print(
      ok ? `    ok: ${expected}` : `    NOT AS EXPECTED: ${expected}${instead ? `; instead: ${instead}` : ''}`,
    );
  }

  /** Checks that two values are equal. */
  equal(expected: string, actual: string | number, value: string | number): void {
    this.check(expected, actual === value, `${actual}, not ${value}`);
  }

  get report(): StepReport {
    const { title, found, checks } = this;
    return { title, ok: checks.every(({ ok }) => ok), found, checks };
  }
}

/** Bytes for people: `1,234,567 bytes` below 1 MiB, `2.5 MiB` from there on. */
export function inMiB(bytes: number): string {
  return bytes < 1024 * 1024 ? `${bytes.toLocaleString('en')} bytes` : `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
}

export function counted(count: number, noun: string): string {
  return `${count.toLocaleString('en')} ${noun}${count === 1 ? '' : 's'}`;
}
