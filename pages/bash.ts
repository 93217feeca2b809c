import type { CommandLine, CommandPage, Value } from './command-line.js';

/**
 * The completion for bash. It asks nobody: to start the program at every press of a key would take a tenth of a second. It needs no
 * bash-completion, and works with the one that comes with macOS.
 */
export function bashCompletion({ program, commands }: CommandLine): string {
  const top = [...commands.map(({ name }) => name), 'help', ...flagsOf(program)];
  return `# bash completion of syncpozo. Generated from the command line by \`npm run build\`.
# Source this file, or link it as "syncpozo" into /usr/share/bash-completion/completions.

_syncpozo_words() {
  COMPREPLY=($(compgen -W "$1" -- "$2"))
}

_syncpozo_paths() {
  local path
  while IFS= read -r path; do
    COMPREPLY+=("$path")
  done < <(compgen -f -- "$1")
  # Outside of a completion, in a test, there is nothing to set. Readline itself completes what is quoted.
  if ((\${#COMPREPLY[@]} > 0)); then
    compopt -o filenames 2>/dev/null
  else
    compopt -o default 2>/dev/null
  fi
  return 0
}

_syncpozo() {
  local IFS=$' \\t\\n'
  local current="\${COMP_WORDS[COMP_CWORD]}" option="" options="" paths=0
  COMPREPLY=()
  if ((COMP_CWORD < 2)); then
    _syncpozo_words "${top.join(' ')}" "$current"
    return
  fi
  # Bash splits "--option=value" at the equals sign.
  if [[ $current == "=" ]]; then
    option="\${COMP_WORDS[COMP_CWORD - 1]}"
    current=""
  elif [[ \${COMP_WORDS[COMP_CWORD - 1]} == "=" ]]; then
    option="\${COMP_WORDS[COMP_CWORD - 2]}"
  elif [[ \${COMP_WORDS[COMP_CWORD - 1]} == -* ]]; then
    option="\${COMP_WORDS[COMP_CWORD - 1]}"
  fi
  case "\${COMP_WORDS[1]}" in
${commands.map(caseOf).join('\n')}
    help)
      ((COMP_CWORD > 2)) || _syncpozo_words "${commands.map(({ name }) => name).join(' ')}" "$current"
      return
      ;;
    *)
      return
      ;;
  esac
  case "\${COMP_WORDS[1]} $option" in
${valueCases(commands).join('\n')}
  esac
  if [[ $current == -* ]]; then
    _syncpozo_words "$options" "$current"
  elif ((paths)); then
    _syncpozo_paths "$current"
  else
    _syncpozo_words "$options" "$current"
  fi
}

complete -F _syncpozo syncpozo
`;
}

function flagsOf({ options }: CommandPage): readonly string[] {
  return options.flatMap(({ flags }) => flags);
}

function caseOf(command: CommandPage): string {
  const takesPaths = command.arguments.some(({ value }) => value === 'path');
  return [
    `    ${command.name})`,
    `      options="${flagsOf(command).join(' ')}"`,
    ...(takesPaths ? ['      paths=1'] : []),
    '      ;;',
  ].join('\n');
}

/** What follows an option that takes a value. */
function valueCases(commands: readonly CommandPage[]): string[] {
  const patterns = new Map<string, string[]>();
  for (const { name, options } of commands) {
    for (const { flags, value } of options.filter((option) => option.value !== 'none')) {
      const action = actionOf(value);
      patterns.set(action, [...(patterns.get(action) ?? []), ...flags.map((flag) => `"${name} ${flag}"`)]);
    }
  }
  return [...patterns].map(([action, words]) => `    ${words.join(' | \\\n      ')})\n${action}\n      ;;`);
}

function actionOf(value: Value): string {
  if (value === 'path') return '      _syncpozo_paths "$current"\n      return';
  if (value === 'text') return '      return';
  return `      _syncpozo_words "${typeof value === 'string' ? '' : value.join(' ')}" "$current"\n      return`;
}
