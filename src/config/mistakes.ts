import { visible } from '../report/quote.js';

/** How many mistakes are listed. */
const MOST = 100;
const LONGEST = 80;
const LONGEST_PLACE = 160;

/** The mistakes of one configuration file, in the order of its lines. */
export class Mistakes {
  private readonly found: { readonly line: number; readonly text: string }[] = [];

  constructor(readonly path: string) {}

  get none(): boolean {
    return this.found.length === 0;
  }

  /** `where`: the key, as `storages.main.slave`; '' for the file as a whole. */
  add(line: number, where: string, found: string, expected: string): void {
    this.found.push({
      line,
      text: `${where === '' ? '' : `${cut(visible(where), LONGEST_PLACE)}: `}found ${found}, expected ${expected}`,
    });
  }

  /** `FILE:LINE: what was found, what was expected`, one for each. */
  get lines(): readonly string[] {
    const sorted = this.found.toSorted((a, b) => a.line - b.line);
    const shown = sorted.slice(0, MOST).map(({ line, text }) => `${this.path}:${line}: ${text}`);
    const more = sorted.length - shown.length;
    return more > 0 ? [...shown, `${this.path}: ${more} more mistakes`] : shown;
  }
}

/** Text of the file, quoted and not too long for one line. */
export function shown(text: string): string {
  return JSON.stringify(cut(text, LONGEST));
}

function cut(text: string, most: number): string {
  return text.length > most ? `${text.slice(0, most)}...` : text;
}
