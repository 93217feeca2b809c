import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { scripts } from '../../scripts/shell.js';

/** A change of one script that makes it less durable. */
export interface Mutant {
  readonly name: string;
  /** Below scripts/. */
  readonly script: string;
  /** Of the script's text. */
  readonly mutated: string;
}

/** A `sync` in a command position, and its arguments, if it has any: words, or quotes around a text and a substitution. */
const SYNC = /(?<=^\s*|&& |\|\| |\{ |; |then |do )sync\b((?: "(?:[^"$]|\$\w+|\$\([^)]*\))*")*)(?=\s|;|$)/gm;
const WORD = /"(?:[^"$]|\$\w+|\$\([^)]*\))*"/g;

/** Every sync in the scripts, found in their texts, deleted in turn; of one with several arguments, each of these. */
export function withoutSyncs(): Mutant[] {
  return shellScripts().flatMap((script) => {
    const text = textOf(script);
    return [...text.matchAll(SYNC)].flatMap((match) => {
      const [all, words = ''] = match;
      const line = text.slice(0, match.index).split('\n').length;
      const args = [...words.matchAll(WORD)].map(([word]) => word);
      const replace = (by: string): string => text.slice(0, match.index) + by + text.slice(match.index + all.length);
      if (args.length < 2) return [{ name: `${script}:${line} without ${all}`, script, mutated: replace(':') }];
      return args.map((arg) => {
        const others = args.filter((other) => other !== arg).join(' ');
        return { name: `${script}:${line} without sync ${arg}`, script, mutated: replace(`sync ${others}`) };
      });
    });
  });
}

/** A sync as a command, in whatever form; not the word in a text, a message or the arguments of syncpozo. */
const COMMAND =
  /(?:^|&&|[{(;|!]|\b(?:then|do|else|elif|if|while|until|command|exec|env|xargs|\d+))\s*sync\b(?![-\w.:])/;

/** The places of all commands that sync: none of them may have a form that withoutSyncs passes over. */
export function placesOfSyncs(): string[] {
  return shellScripts().flatMap((script) =>
    textOf(script)
      .split('\n')
      .map((line) => line.replaceAll(/'[^']*'|"[^"]*"/g, '""').replace(/(^|\s)#.*/, ''))
      .flatMap((line, at) => (COMMAND.test(line) ? [`${script}:${at + 1}`] : [])),
  );
}

/** What has to come first is exchanged with what follows it. */
const ORDERS: readonly { what: string; script: string; before: string; after: string }[] = [
  {
    what: 'the rename before the sync of the content',
    script: 'cluster/replace.sh',
    before: 'sync "$new" && mv -fT "$new" "$1"',
    after: 'mv -fT "$new" "$1" && sync "$1"',
  },
  {
    what: 'the sync before the content',
    script: 'cluster/replace.sh',
    before: 'cat >"$new" && chmod 644 "$new" && sync "$new"',
    after: 'sync "$new" && cat >"$new" && chmod 644 "$new"',
  },
  {
    what: 'the sync before the mode',
    script: 'cluster/replace.sh',
    before: 'chmod 644 "$new" && sync "$new"',
    after: 'sync "$new" && chmod 644 "$new"',
  },
  {
    what: 'no switch before ZEO starts',
    script: 'cluster/zeo',
    before: 'every switch_off && every stop_sync || return 1',
    after: 'every stop_sync || return 1',
  },
  {
    what: 'the note that it is not promoted behind the start of ZEO',
    script: 'cluster/server.sh',
    before:
      '  every note_unpromoted\n  # Its own limit is longer, so that this one decides.\n  ctl $((zeo_start_wait + 30)) start &\n  control=$!',
    after: '  ctl $((zeo_start_wait + 30)) start &\n  control=$!\n  wait "$control"\n  every note_unpromoted',
  },
  {
    what: 'the note of the clients before their restart',
    script: 'cluster/clients',
    before: "if restart_clients 'transactions that they have seen may be lost'; then note; fi",
    after: 'note; restart_clients early',
  },
  {
    what: 'the rename before the sync of the content',
    script: 'install/files.sh',
    before: 'sync "$new" && mv -f "$new" "$root$1"',
    after: 'mv -f "$new" "$root$1" && sync "$root$1"',
  },
  {
    what: 'the sync before the mode',
    script: 'install/files.sh',
    before: 'chmod "$3" "$new" && sync "$new"',
    after: 'sync "$new" && chmod "$3" "$new"',
  },
  {
    what: 'the record before the file',
    script: 'install/files.sh',
    before: '  put "$4" "$3" "$2"\n  if [ "$1" != block ]; then remember "$4" "$3"; fi',
    after: '  if [ "$1" != block ]; then remember "$4" "$3"; fi\n  put "$4" "$3" "$2"',
  },
];

export function outOfOrder(): Mutant[] {
  return ORDERS.map(({ what, script, before, after }) => {
    const text = textOf(script);
    if (text.split(before).length !== 2) throw new Error(`${script} has not once: ${before}`);
    return { name: `${script}: ${what}`, script, mutated: text.replace(before, () => after) };
  });
}

/** A copy of all scripts with this one changed. */
export function writeMutant({ script, mutated }: Mutant, directory: string): string {
  cpSync(scripts, directory, { recursive: true });
  writeFileSync(join(directory, script), mutated);
  return directory;
}

function textOf(script: string): string {
  return readFileSync(join(scripts, script), 'utf8');
}

function shellScripts(): string[] {
  return readdirSync(scripts, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name).slice(scripts.length + 1))
    .filter((path) => textOf(path).startsWith('#!/bin/sh'))
    .sort();
}
