/** A type of a value in the tables of docs/json.md, by its name there. */
const TYPES: Readonly<Record<string, (value: unknown) => boolean>> = {
  integer: (value) => Number.isSafeInteger(value) && Number(value) >= 0,
  number: (value) => Number.isFinite(value) && Number(value) >= 0,
  boolean: (value) => typeof value === 'boolean',
  string: (value) => typeof value === 'string',
  path: (value) => typeof value === 'string' && value.startsWith('/'),
  tid: (value) => typeof value === 'string' && /^[0-9a-f]{16}$/.test(value),
  time: (value) => typeof value === 'string' && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(value),
  facts: (value) =>
    TYPES['object']?.(value) === true &&
    Object.values(value as object).every((one) => one === null || ['string', 'number', 'boolean'].includes(typeof one)),
  object: (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
  'object list': (value) => Array.isArray(value) && value.every((one) => TYPES['object']?.(one)),
  'objects by name': (value) =>
    TYPES['object']?.(value) === true && Object.values(value as object).every((one) => TYPES['object']?.(one)),
  'string list': (value) => Array.isArray(value) && value.every((one) => typeof one === 'string'),
};

/** One field of the contract. */
export interface Field {
  /** `null` among them where that is documented; the values of an enumeration one by one. */
  readonly types: readonly string[];
  readonly optional: boolean;
}

/** The fields of one command by their paths, `a.b` and `a[].b`. */
export type Contract = ReadonlyMap<string, Field>;

export interface Section {
  readonly fields: Contract;
  readonly examples: readonly unknown[];
  /** The first column of its tables, whatever they are. */
  readonly names: readonly string[];
}

const OPTIONAL = ', not always there';

/** The cells of a row of a Markdown table; `\|` is no border. */
function cellsOf(line: string): string[] {
  const cells = line.split(/(?<!\\)\|/).slice(1, -1);
  return cells.map((cell) => cell.trim().replaceAll('\\|', '|'));
}

function fieldOf(cell: string): Field {
  const optional = cell.endsWith(OPTIONAL);
  const types = (optional ? cell.slice(0, -OPTIONAL.length) : cell)
    .split(' or ')
    .flatMap((each) => (each.startsWith('`') ? each.slice(1, -1).split('|') : [each]));
  for (const type of types)
    if (!(type in TYPES) && !/^(null|"[^"]+"|\d)$/.test(type)) throw new Error(`docs/json.md knows no type ${type}`);
  return { types, optional };
}

/** Reads the tables and the examples of docs/json.md, by the headings of its sections. */
export function parseContract(text: string): ReadonlyMap<string, Section> {
  const sections = new Map<string, Section>();
  for (const part of text.split(/^## /m).slice(1)) {
    const [heading = '', ...lines] = part.split('\n');
    const fields = new Map<string, Field>();
    const names: string[] = [];
    let inFields = false;
    for (const line of lines) {
      if (!line.startsWith('|')) inFields = false;
      else if (/^\| field \| type \| meaning \|$/.test(line)) inFields = true;
      else if (!line.startsWith('| ---')) {
        const [name = '', type = '', meaning = ''] = cellsOf(line);
        const paths = [...name.matchAll(/`([^`]+)`/g)].map(([, path = '']) => path);
        names.push(...paths);
        if (inFields && (paths.length === 0 || meaning === '')) throw new Error(`docs/json.md: ${line}`);
        for (const path of inFields ? paths : []) {
          if (fields.has(path)) throw new Error(`docs/json.md has ${path} of ${heading} twice`);
          fields.set(path, fieldOf(type));
        }
      }
    }
    const examples = [...part.matchAll(/^```json\n(.*?)^```/gms)].map(([, json = '']) => JSON.parse(json) as unknown);
    sections.set(heading, { fields, examples, names });
  }
  return sections;
}

/** What was seen of the values that a contract documents, and what is wrong with them. */
export class Sightings {
  private readonly seen = new Set<string>();
  readonly wrong: string[] = [];

  /** `open`: further fields are no error. */
  constructor(
    private readonly contract: Contract,
    private readonly open = false,
  ) {}

  /** Holds one object against the contract. `name`: what printed it. */
  add(value: unknown, name: string): void {
    this.object(value, '', name);
  }

  /** What is documented and was never seen: `path: type`, or `path: absent` for a field that is always there. */
  get unseen(): string[] {
    const all = [...this.contract].flatMap(([path, { types, optional }]) =>
      [...types, ...(optional ? ['absent'] : [])].map((type) => `${path}: ${type}`),
    );
    return all.filter((each) => !this.seen.has(each));
  }

  private object(value: unknown, path: string, name: string): void {
    const entries = new Map(Object.entries(value as Record<string, unknown>));
    const prefix = path === '' ? '' : `${path}.`;
    for (const [key, each] of entries) this.value(each, prefix + key, name);
    for (const [field, { optional }] of this.contract) {
      if (!field.startsWith(prefix) || /[.[]/.test(field.slice(prefix.length))) continue;
      if (entries.has(field.slice(prefix.length))) continue;
      if (optional) this.seen.add(`${field}: absent`);
      else this.wrong.push(`${name}: ${field} is missing`);
    }
  }

  private value(value: unknown, path: string, name: string): void {
    const field = this.contract.get(path);
    if (!field) {
      if (!this.open) this.wrong.push(`${name}: ${path} is not documented`);
      return;
    }
    const json = JSON.stringify(value);
    const type = field.types.find((each) => (TYPES[each] ? TYPES[each](value) : each === json));
    if (type === undefined) {
      this.wrong.push(`${name}: ${path} is ${json}, documented is ${field.types.join(' or ')}`);
      return;
    }
    this.seen.add(`${path}: ${type}`);
    if (type === 'object') this.object(value, path, name);
    if (type === 'objects by name')
      for (const each of Object.values(value as Record<string, unknown>)) this.object(each, `${path}.*`, name);
    if (type === 'object list') for (const each of value as unknown[]) this.object(each, `${path}[]`, name);
  }
}
