import type { Command } from 'commander';

/** A term, and what it means. */
export type Item = readonly [term: string, meaning: string];

export interface Table {
  readonly title: string;
  readonly items: readonly Item[];
}

/**
 * What the help of a command says beside its arguments and options. The man page has the same words, so they are kept as data:
 * without line breaks and without indentation.
 */
export interface Manual {
  /** Paragraphs. */
  readonly notes?: readonly string[];
  readonly examples: readonly string[];
  /** Every status that the command returns, and no other. */
  readonly exits: readonly Item[];
  readonly tables?: readonly Table[];
}

const WIDTH = 80;
const MANUALS = new WeakMap<Command, Manual>();

/** Adds the manual to the command's help. Its text is made only if somebody asks for it: most runs come from cron. */
export function withManual(command: Command, manual: Manual): Command {
  MANUALS.set(command, manual);
  return command.addHelpText('after', () => render(command, manual));
}

export function manualOf(command: Command): Manual | undefined {
  return MANUALS.get(command);
}

function render(command: Command, { notes = [], examples, exits, tables = [] }: Manual): string {
  const helper = command.createHelp();
  helper.helpWidth = WIDTH;
  const list = ({ title, items }: Table): string => {
    const widest = Math.max(...items.map(([term]) => term.length));
    const lines = items.map(([term, meaning]) => helper.formatItem(term, widest, meaning, helper));
    return [...helper.boxWrap(`${title}:`, WIDTH).split('\n'), ...lines].join('\n');
  };
  const parts = [
    ...notes.map((note) => helper.boxWrap(note, WIDTH)),
    ['Example:', ...examples.map((example) => `  ${example}`)].join('\n'),
    list({ title: 'Exit status', items: exits }),
    ...tables.map(list),
  ];
  return `\n${parts.join('\n\n')}`;
}
