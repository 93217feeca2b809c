import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, sep } from 'node:path';
import { inProject } from '../support/root.js';
import { COMPILED_SOURCES, PRIMITIVES } from './call-site.js';

/**
 * Every call in the product that makes something durable, found in the compiled sources and named as in call-site.ts.
 * src/demo is excluded: it plays ZODB's part, and its files are thrown away.
 */
export function syncSites(): string[] {
  const sources = readSources();
  const direct = sources.flatMap((source) =>
    callsIn(source, /(?<=\.)sync(?:Data|Later)?\(\)|\bsyncDirectory(?:Later)?\(/g),
  );
  return direct.flatMap((call) => withCallers(call, sources)).sort();
}

interface Source {
  readonly path: string;
  readonly lines: readonly string[];
}

interface Call {
  readonly source: Source;
  readonly line: number;
  readonly column: number;
}

/** Compiled files whose source still exists, without those that only wrap system calls. */
function readSources(): Source[] {
  return readdirSync(COMPILED_SOURCES, { recursive: true, encoding: 'utf8' })
    .map((path) => path.split(sep).join('/'))
    .filter((path) => path.endsWith('.js') && existsSync(inProject('src', path.replace(/\.js$/, '.ts'))))
    .filter((path) => !PRIMITIVES.includes(path) && !path.startsWith('demo/'))
    .map((path) => ({ path, lines: readFileSync(join(COMPILED_SOURCES, path), 'utf8').split('\n') }));
}

function callsIn(source: Source, form: RegExp): Call[] {
  return source.lines.flatMap((text, index) => {
    if (/^\s*(\/\/|\/?\*|import\b|(export )?(async )?function\b)/.test(text)) return [];
    return [...text.matchAll(form)].map((match) => ({ source, line: index + 1, column: match.index + 1 }));
  });
}

/** The call's name; a call in src/io has one name per caller outside. */
function withCallers(call: Call, sources: readonly Source[]): string[] {
  const place = `${call.source.path}:${call.line}:${call.column}`;
  if (!place.startsWith('io/')) return [place];
  const name = functionAround(call);
  const callers = sources.flatMap((source) => callsIn(source, new RegExp(`\\b${name}\\(`, 'g')));
  return callers.flatMap((caller) => withCallers(caller, sources)).map((caller) => `${place} < ${caller}`);
}

function functionAround({ source, line }: Call): string {
  for (let index = line - 1; index >= 0; index--) {
    const match = /^(?:export )?(?:async )?function (\w+)\(/.exec(source.lines[index] ?? '');
    if (match?.[1] !== undefined) return match[1];
  }
  throw new Error(`no function was found around ${source.path}:${line}`);
}
