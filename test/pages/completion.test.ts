import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { bashCompletion } from '../../pages/bash.js';
import { commandLine } from '../../pages/command-line.js';
import { zshCompletion } from '../../pages/zsh.js';
import { inProject } from '../support/root.js';
import { withTempDir } from '../support/site.js';

const SCRIPT = inProject('dist', 'completion', 'syncpozo.bash');
const ZSH_SCRIPT = inProject('dist', 'completion', '_syncpozo');
const line = await commandLine('0');

const HARNESS = `
source "$1"
complete -p syncpozo >/dev/null || exit 1
shift
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
_syncpozo
((\${#COMPREPLY[@]} == 0)) || printf '%s\\n' "\${COMPREPLY[@]}"
`;

/** What bash offers in the place of the last of these words. */
function complete(words: readonly string[], cwd?: string): string[] {
  const args = ['--norc', '--noprofile', '-c', HARNESS, 'bash', SCRIPT, 'syncpozo', ...words];
  const run = spawnSync('bash', args, { encoding: 'utf8', ...(cwd !== undefined && { cwd }) });
  assert.deepEqual([run.status, run.stderr], [0, '']);
  return run.stdout.split('\n').filter((word) => word !== '');
}

function flagsOf(command: { readonly options: readonly { readonly flags: readonly string[] }[] }): readonly string[] {
  return command.options.flatMap(({ flags }) => flags);
}

describe('the completion for bash', () => {
  const names = line.commands.map(({ name }) => name);

  it('is the one that the command line of these sources makes, and parses', () => {
    assert.equal(readFileSync(SCRIPT, 'utf8'), bashCompletion(line));
    const { status, stderr } = spawnSync('bash', ['-n', SCRIPT], { encoding: 'utf8' });
    assert.deepEqual([status, stderr], [0, '']);
  });

  it('offers the commands', () => {
    assert.deepEqual(complete(['']), [...names, 'help', ...flagsOf(line.program)]);
    assert.deepEqual(complete(['s']), ['sync', 'status']);
    assert.deepEqual(complete(['--v']), ['--version']);
    assert.deepEqual(complete(['help', 'de']), ['demote', 'demo']);
    assert.deepEqual(complete(['help', 'sync', '']), []);
    assert.deepEqual(complete(['nonsense', '']), []);
  });

  for (const command of line.commands)
    it(`offers every option of ${command.name}`, () => {
      assert.deepEqual(complete([command.name, '-']), flagsOf(command));
      const long = flagsOf(command).filter((flag) => flag.startsWith('--js'));
      assert.deepEqual(complete([command.name, '--js']), long);
    });

  it('offers options where no path can stand', () => {
    assert.deepEqual(complete(['demo', '']), flagsOf(line.commands.find(({ name }) => name === 'demo')!));
  });

  it('offers the words that an argument can be', () => {
    assert.deepEqual(complete(['config', 'c']), ['check']);
  });

  it('offers the values of an option', () => {
    assert.deepEqual(complete(['sync', '--log-level', '']), ['debug', 'info', 'warn', 'error']);
    assert.deepEqual(complete(['sync', 'M', '--log-format', 'j']), ['json']);
    assert.deepEqual(complete(['sync', '--log-format', '=', 't']), ['text']);
    assert.deepEqual(complete(['sync', '--log-format', '=']), ['text', 'json']);
    assert.deepEqual(complete(['sync', '--timeout', '']), []);
  });

  it('offers directories and files where paths stand, also with blanks', () =>
    withTempDir((directory) => {
      mkdirSync(join(directory, 'var'));
      mkdirSync(join(directory, 'var 2'));
      writeFileSync(join(directory, 'Data.fs'), '');
      assert.deepEqual(complete(['sync', ''], directory).sort(), ['Data.fs', 'var', 'var 2']);
      assert.deepEqual(complete(['sync', 'Data.fs', 'v'], directory).sort(), ['var', 'var 2']);
      assert.deepEqual(complete(['index', '--quiet', 'D'], directory), ['Data.fs']);
      const start = join(directory, 'D');
      const file = join(directory, 'Data.fs');
      assert.deepEqual(complete(['verify', 'x', '--against', start]), [file]);
      assert.deepEqual(complete(['on', '--status-file', '=', start]), [file]);
      assert.deepEqual(complete(['status', '--output', start]), [file]);
    }));
});

describe('the completion for zsh', () => {
  const text = readFileSync(ZSH_SCRIPT, 'utf8');

  it('is the one that the command line of these sources makes', () => {
    assert.equal(text, zshCompletion(line));
    assert.match(text, /^#compdef syncpozo\n/);
  });

  it('parses', (t) => {
    const { error, status, stderr } = spawnSync('zsh', ['-n', ZSH_SCRIPT], { encoding: 'utf8' });
    if (error) return t.skip('zsh is not installed here');
    assert.deepEqual([status, stderr], [0, '']);
  });

  for (const command of line.commands)
    it(`has every argument and option of ${command.name}`, () => {
      assert.ok(text.includes(`\n    '${command.name}:`));
      const part = new RegExp(`^        ${command.name}\\)\n(.*?);;`, 'ms').exec(text)?.[1] ?? '';
      for (const { flags, value } of command.options)
        for (const flag of flags) {
          const sign = value !== 'none' && flag.startsWith('--') ? '=' : '';
          assert.ok(part.includes(`'(${flags.join(' ')})${flag}${sign}[`), flag);
        }
      for (const [index, { name, value, variadic }] of command.arguments.entries()) {
        const action = value === 'path' ? '_files' : typeof value === 'string' ? ' ' : `(${value.join(' ')})`;
        assert.ok(part.includes(`'${variadic ? '*' : index + 1}:${name}:${action}'`), name);
      }
    });
});
