import * as chapters from './chapters.js';
import type { CommandLine, CommandPage, OptionPage } from './command-line.js';
import { bold, example, italic, paragraph, plain, prose, section, subsection, terms } from './roff.js';

/** An option that so many commands describe in the same words is described once. */
const COMMON_FROM = 3;

/** One page with all commands: an operator who looks for a word, or for a message, finds it with one search. */
export function manPage({ version, program, commands }: CommandLine): string {
  const common = commonOptions(commands);
  const lines = [
    '.\\" Generated from the command line by `npm run build`: change that, and pages/chapters.ts.',
    `.TH SYNCPOZO 1 "" "syncpozo ${plain(version)}" "User Commands"`,
    '.nh',
    '.ad l',
    section('NAME'),
    `syncpozo \\- ${prose('keeps a warm standby of a Data.fs of Zope or Plone')}`,
    section('SYNOPSIS'),
    [...commands.flatMap(synopses), ...otherForms(program)].join('\n.br\n'),
    section('DESCRIPTION'),
    ...chapters.DESCRIPTION.map((text) => paragraph(prose(text))),
    section('COMMANDS'),
    ...commands.flatMap((command) => chapterOf(command, common)),
    section('COMMON OPTIONS'),
    paragraph(prose(chapters.COMMON)),
    ...optionList([...common]),
    section('OPTIONS OF THE PROGRAM'),
    ...optionList(program.options.filter(({ flags }) => !flags.includes('--help'))),
    section('EXIT STATUS'),
    paragraph(prose(chapters.EXIT_STATUS[0] ?? '')),
    ...list(program.manual.exits, bold),
    ...chapters.EXIT_STATUS.slice(1).map((text) => paragraph(prose(text))),
    section('FILES'),
    paragraph(prose('Beside the slave:')),
    ...list(chapters.FILES, bold),
    paragraph(prose('Installed by `npm install --global`, where PREFIX is the output of `npm prefix --global`:')),
    ...list(chapters.INSTALLED, bold),
    section('ENVIRONMENT'),
    ...list(chapters.ENVIRONMENT, bold),
    section('EXAMPLES'),
    ...chapters.EXAMPLES.flatMap(([what, code]) => [paragraph(prose(what)), example(code)]),
    section('SEE ALSO'),
    chapters.SEE_ALSO.map(([name, chapter]) => `${bold(name)}(${chapter})`).join(',\n'),
  ];
  // A heading begins a paragraph of its own.
  return `${lines.join('\n')}\n`.replace(/^(\.S[HS] .*\n)\.PP\n/gm, '$1');
}

/** Of each option that many commands take, the form that most of them take. */
function commonOptions(commands: readonly CommandPage[]): ReadonlySet<OptionPage> {
  const forms = new Map<string, OptionPage[]>();
  for (const option of commands.flatMap(({ options }) => options)) {
    const key = formOf(option);
    forms.set(key, [...(forms.get(key) ?? []), option]);
  }
  const largest = new Map<string, OptionPage[]>();
  for (const same of forms.values()) {
    const name = same[0]?.flags.join() ?? '';
    if (same.length > (largest.get(name)?.length ?? COMMON_FROM - 1)) largest.set(name, same);
  }
  return new Set([...largest.values()].flatMap(([option]) => option ?? []));
}

function formOf({ flags, placeholder, description }: OptionPage): string {
  return [...flags, placeholder, description].join(' ');
}

/** With its places, and with names in their stead. */
function synopses({ name, arguments: all }: CommandPage): string[] {
  const places = all.filter(({ variadic }) => !variadic).map((place) => italic(place.name));
  const names = all.filter(({ variadic }) => variadic).map((place) => `[${italic(place.name)}...]`);
  const forms = names.length === 0 || places.length === 0 ? [[...places, ...names]] : [places, names];
  return forms.map((form) => [bold(`syncpozo ${name}`), plain('[OPTIONS]'), ...form].join(' '));
}

function otherForms({ options }: CommandPage): string[] {
  const forms = ['help [COMMAND]', ...options.map(({ flags }) => flags.join(' | '))];
  return forms.map((form) => `${bold('syncpozo')} ${plain(form)}`);
}

function chapterOf(command: CommandPage, common: ReadonlySet<OptionPage>): string[] {
  const { name, manual } = command;
  const forms = new Set([...common].map(formOf));
  const own = command.options.filter((option) => !forms.has(formOf(option)));
  const shared = command.options.filter((option) => forms.has(formOf(option)));
  const [first = '', rest = ''] = [command.description.slice(0, 1), command.description.slice(1)];
  return [
    subsection(`syncpozo ${name}`),
    paragraph(synopses(command).join('\n.br\n')),
    paragraph(plain(`${first.toUpperCase()}${rest}.`)),
    ...terms(command.arguments.map((place) => [italic(place.name), plain(place.description)])),
    ...optionList(own),
    paragraph(`Common options: ${shared.map(({ flags }) => bold(flags.at(-1) ?? '')).join(', ')}.`),
    ...(manual.notes ?? []).map((note) => paragraph(plain(note))),
    paragraph('Example:'),
    example(manual.examples),
    paragraph('Exit status:'),
    ...list(manual.exits, bold),
    ...(manual.tables ?? []).flatMap(({ title, items }) => [paragraph(plain(`${title}:`)), ...list(items, bold)]),
  ];
}

function optionList(options: readonly OptionPage[]): string[] {
  const termOf = ({ flags, placeholder }: OptionPage): string =>
    flags.map(bold).join(', ') + (placeholder && ` ${italic(placeholder.replace(/[<>]/g, ''))}`);
  return terms(options.map((option) => [termOf(option), plain(option.description)]));
}

function list(items: readonly (readonly [string, string])[], form: (text: string) => string): string[] {
  return terms(items.map(([term, meaning]) => [form(term), prose(meaning)]));
}
