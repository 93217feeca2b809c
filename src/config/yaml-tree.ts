import {
  Composer,
  type CST,
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  Parser,
  type YAMLError,
} from 'yaml';
import { type Mistakes, shown } from './mistakes.js';

/** A value of the file, with the line on which it begins. An alias is a mistake, and has no value. */
export type Found =
  | { readonly kind: 'alias'; readonly line: number }
  | { readonly kind: 'scalar'; readonly line: number; readonly value: unknown; readonly source: string }
  | { readonly kind: 'list'; readonly line: number; readonly items: readonly Found[] }
  | { readonly kind: 'mapping'; readonly line: number; readonly entries: readonly Entry[] };

/** A key that is there once, and its value. */
export interface Entry {
  readonly key: string;
  /** Of the key. */
  readonly line: number;
  readonly value: Found;
}

/** Far more than the deepest key needs. The composer calls itself for each level. */
const DEEPEST = 32;

/** YAML 1.2 with the core schema. Duplicate keys are found here: the library would compare each key with every other. */
const OPTIONS = {
  version: '1.2',
  schema: 'core',
  strict: true,
  merge: false,
  uniqueKeys: false,
  prettyErrors: false,
} as const;

/** The tree of a text; undefined, with mistakes, where it is not one YAML document, or has aliases. */
export function parseTree(text: string, mistakes: Mistakes): Found | undefined {
  const lines = new LineCounter();
  const tokens = [...new Parser(lines.addNewLine).parse(text)];
  const tooDeep = offsetBelow(tokens, DEEPEST);
  if (tooDeep !== undefined) {
    mistakes.add(lines.linePos(tooDeep).line, '', `more than ${DEEPEST} levels`, 'a configuration, which has five');
    return undefined;
  }
  const [document] = new Composer(OPTIONS).compose(tokens, true, text.length);
  if (!document) return undefined;
  if (document.errors.length + document.warnings.length > 0) addErrors(document, lines, mistakes);
  else if (tokens.filter(({ type }) => type === 'document').length > 1)
    mistakes.add(lastDocumentLine(tokens, lines), '', 'a second document', 'one, without "---"');
  const { contents } = document;
  const isEmpty = contents === null || (isScalar(contents) && contents.value === null);
  return mistakes.none && !isEmpty ? new Reader(lines, mistakes).read(contents, '') : undefined;
}

/** Where something stands more than `most` levels deep. Calls nothing recursively: the text may be all brackets. */
function offsetBelow(tokens: readonly CST.Token[], most: number): number | undefined {
  const todo: { readonly token: CST.Token; readonly depth: number }[] = tokens.map((token) => ({ token, depth: 0 }));
  for (let next = todo.pop(); next; next = todo.pop()) {
    const { token, depth } = next;
    if (depth > most) return token.offset;
    const children: (CST.Token | null | undefined)[] = [];
    if ('value' in token && typeof token.value === 'object') children.push(token.value);
    if ('items' in token) children.push(...token.items.flatMap(({ key, value }) => [key, value]));
    for (const child of children) if (child) todo.push({ token: child, depth: depth + 1 });
  }
  return undefined;
}

function lastDocumentLine(tokens: readonly CST.Token[], lines: LineCounter): number {
  const last = tokens.findLast(({ type }) => type === 'document');
  return lines.linePos(last?.offset ?? 0).line;
}

/** The library's words for some mistakes are about its own insides. */
const PLAIN: Readonly<Record<string, readonly [found: string, expected: string]>> = {
  TAB_AS_INDENT: ['a tab', 'spaces for the indentation'],
  BLOCK_AS_IMPLICIT_KEY: ['a second ": " in one line', 'one key in a line, or quotes around the value'],
  TAG_RESOLVE_FAILED: ['an unknown tag', 'a value without "!"'],
};

/** One mistake a line: what follows the first one mostly comes of it. */
function addErrors(document: Document, lines: LineCounter, mistakes: Mistakes): void {
  const first = new Map<number, YAMLError>();
  for (const error of [...document.errors, ...document.warnings]) {
    const { line } = lines.linePos(error.pos[0]);
    if (!first.has(line)) first.set(line, error);
  }
  for (const [line, { code, message }] of first) {
    const [found, expected] = PLAIN[code] ?? [
      `no YAML (${message.slice(0, 1).toLowerCase()}${message.slice(1)})`,
      'YAML 1.2',
    ];
    mistakes.add(line, '', found, expected);
  }
}

class Reader {
  constructor(
    private readonly lines: LineCounter,
    private readonly mistakes: Mistakes,
  ) {}

  read(node: Node | null, where: string): Found {
    const line = this.lineOf(node);
    if (isMap(node)) return { kind: 'mapping', line, entries: this.entriesOf(node.items, where) };
    if (isSeq(node)) {
      return { kind: 'list', line, items: node.items.map((item) => this.read(item as Node | null, where)) };
    }
    if (isAlias(node)) {
      this.mistakes.add(line, where, `the alias *${node.source}`, 'the value itself');
      return { kind: 'alias', line };
    }
    if (isScalar(node)) return { kind: 'scalar', line, value: node.value, source: node.source ?? '' };
    return { kind: 'scalar', line, value: null, source: '' };
  }

  private entriesOf(pairs: readonly { readonly key: unknown; readonly value: unknown }[], where: string): Entry[] {
    const entries = new Map<string, Entry>();
    for (const { key: node, value } of pairs) {
      const line = this.lineOf(node as Node | null);
      const key = isScalar(node) ? (typeof node.value === 'string' ? node.value : node.source) : undefined;
      if (key === undefined) {
        this.mistakes.add(line, where, 'a key that is no word', 'a word and a colon');
        continue;
      }
      const inside = where === '' ? key : `${where}.${key}`;
      const before = entries.get(key);
      if (before) this.mistakes.add(line, inside, `the key ${shown(key)} again`, `it once, as in line ${before.line}`);
      // A value that is missing stands on the line of its key.
      const found = value === null ? ({ kind: 'scalar', line, value: null, source: '' } as const) : undefined;
      const entry = { key, line, value: found ?? this.read(value as Node, inside) };
      if (!before) entries.set(key, entry);
    }
    return [...entries.values()];
  }

  private lineOf(node: Node | null): number {
    return this.lines.linePos(node?.range?.[0] ?? 0).line;
  }
}
