/** Characters that roff, or the font of a terminal, would show as others. */
const GLYPHS: Readonly<Record<string, string>> = {
  '\\': '\\e',
  '-': '\\-',
  "'": '\\(aq',
  '`': '\\(ga',
  '"': '\\(dq',
  '^': '\\(ha',
  '~': '\\(ti',
};

/** Plain text as roff text: shown as it is, wherever it stands in a line. */
export function plain(text: string): string {
  const strange = /[^\x20-\x7e]/.exec(text);
  if (strange) throw new Error(`a manual page is one line of ASCII at a time: ${JSON.stringify(text)}`);
  // A line that begins with a dot is a request; a quote there is escaped anyway.
  return text.replace(/[\\\-'`"^~]/g, (char) => GLYPHS[char] ?? char).replace(/^\./, '\\&.');
}

export function bold(text: string): string {
  return `\\fB${plain(text)}\\fR`;
}

export function italic(text: string): string {
  return `\\fI${plain(text)}\\fR`;
}

/** Text with `code` in bold. */
export function prose(text: string): string {
  const words = text.split('`').map((part, index) => (index % 2 === 1 ? bold(part) : plainInside(part)));
  return words.join('').replace(/^\./, '\\&.');
}

function plainInside(text: string): string {
  return plain(`x${text}`).slice(1);
}

export function section(title: string): string {
  return `.SH ${plain(title)}`;
}

export function subsection(title: string): string {
  return `.SS ${plain(title)}`;
}

/** A paragraph. */
export function paragraph(text: string): string {
  return `.PP\n${text}`;
}

/** A list of terms, which are roff text already, and what they mean. */
export function terms(items: readonly (readonly [term: string, meaning: string])[]): string[] {
  return items.map(([term, meaning]) => `.TP\n${term}\n${meaning}`);
}

/** Lines that are shown as they are, indented. */
export function example(lines: readonly string[]): string {
  return ['.PP', '.RS 4', '.nf', ...lines.map(plain), '.fi', '.RE'].join('\n');
}
