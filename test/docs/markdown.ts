import { readdirSync, readFileSync } from 'node:fs';
import { inProject } from '../support/root.js';

/** The pages that people read, as paths below the project's root. */
export const PAGES: readonly string[] = [
  'README.md',
  'scripts/README.md',
  ...readdirSync(inProject('docs'))
    .filter((name) => name.endsWith('.md'))
    .sort()
    .map((name) => `docs/${name}`),
];

export function textOf(page: string): string {
  return readFileSync(inProject(page), 'utf8');
}

/** A fenced code block. */
export interface Block {
  /** `sh`, `console`, or empty. */
  readonly language: string;
  readonly lines: readonly string[];
  /** What the HTML comment on the line before it says; empty without one. */
  readonly remark: string;
  /** Line of the fence, from 1. */
  readonly line: number;
  /** The heading above it, without its number signs. */
  readonly section: string;
}

/** The code blocks of a page in their order. A block in a list is indented as its list is. */
export function blocksOf(page: string): Block[] {
  const lines = textOf(page).split('\n');
  const blocks: Block[] = [];
  let section = '';
  for (let at = 0; at < lines.length; at++) {
    section = /^#+ (.*)$/.exec(lines[at] ?? '')?.[1] ?? section;
    const fence = /^( *)```(\w*)$/.exec(lines[at] ?? '');
    if (!fence) continue;
    const [, indent = '', language = ''] = fence;
    const end = lines.indexOf(`${indent}\`\`\``, at + 1);
    if (end < 0) throw new Error(`${page}:${at + 1}: the code block has no end`);
    const remark = /^ *<!-- (.*) -->$/.exec(lines[at - 1] ?? '')?.[1] ?? '';
    const body = lines.slice(at + 1, end).map((line) => line.slice(indent.length));
    blocks.push({ language, lines: body, remark, line: at + 1, section });
    at = end;
  }
  return blocks;
}

/** A page without its code blocks. */
export function proseOf(page: string): string {
  return textOf(page).replace(/^ *```[\s\S]*?^ *```$/gm, '');
}

/** The texts in backquotes. */
export function codeSpansOf(markdown: string): string[] {
  return [...markdown.matchAll(/`([^`\n]+)`/g)].map(([, code = '']) => code);
}

/** The anchors of a page's headings, as GitHub makes them. */
export function anchorsOf(page: string): Set<string> {
  const headings = [...proseOf(page).matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) => heading);
  return new Set(
    headings.map((heading) =>
      heading
        .toLowerCase()
        .replace(/[^\p{L}\p{N}\s_-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );
}

/** The targets of a page's links and pictures. */
export function linksOf(page: string): string[] {
  return [...proseOf(page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target);
}

/** The first section whose heading has that anchor, up to the next heading of its level or above. */
export function sectionOf(page: string, heading: string): string {
  const lines = textOf(page).split('\n');
  const from = lines.findIndex((line) => line.replace(/^#+ /, '') === heading && line.startsWith('#'));
  if (from < 0) throw new Error(`${page} has no section ${heading}`);
  const level = /^#+/.exec(lines[from] ?? '')?.[0].length ?? 0;
  const length = lines.slice(from + 1).findIndex((line) => (/^(#+) /.exec(line)?.[1]?.length ?? 9) <= level);
  return lines.slice(from, length < 0 ? undefined : from + 1 + length).join('\n');
}
