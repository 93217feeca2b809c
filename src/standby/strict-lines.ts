/** A text does not match its format; the message names the place. */
export class Misfit extends Error {}

/** Reads the lines of a strictly formatted text in order. */
export class LineReader {
  private next = 0;
  /** `before`: number of lines in the file before these. */
  constructor(
    private readonly lines: readonly string[],
    private readonly before: number,
  ) {}

  /** The captures of the next line if it matches; throws a Misfit otherwise. */
  expect(form: RegExp): readonly string[] {
    const fields = this.accept(form);
    if (!fields) throw new Misfit(`line ${this.before + this.next + 1} is not of the form ${form.source}`);
    return fields;
  }

  accept(form: RegExp): readonly string[] | undefined {
    const match = form.exec(this.lines[this.next] ?? '');
    if (!match) return undefined;
    this.next++;
    return match.slice(1);
  }

  /** Throws a Misfit if a line is left. */
  end(): void {
    if (!this.done) throw new Misfit(`line ${this.before + this.next + 1} is none that belongs there`);
  }

  get done(): boolean {
    return this.next >= this.lines.length;
  }
}

export function wholeNumber(digits: string | undefined): number {
  const value = Number(digits);
  if (!Number.isSafeInteger(value)) throw new Misfit(`the number ${digits} is too large`);
  return value;
}

/** The latest time that a Date can hold; formatting a later one would throw. */
const LATEST_MS = 8_640_000_000_000_000;

/** Milliseconds since the epoch. */
export function moment(digits: string | undefined): number {
  const value = wholeNumber(digits);
  if (value > LATEST_MS) throw new Misfit(`the time ${digits} is too large`);
  return value;
}

/** The text that a JSON string literal stands for; undefined for anything else. */
export function textOfQuoted(quoted: string): string | undefined {
  try {
    const value: unknown = JSON.parse(quoted);
    return typeof value === 'string' ? value : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
