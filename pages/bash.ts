import type { CommandLine, CommandPage, Value } from './command-line.js';

/**
 * The completion for bash. It does not start the program, which would take a tenth of a second at every press of a key, and does not
 * need the package bash-completion.
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
  # A path that is quoted, or that has escapes, is completed by readline itself. A test calls this outside of a completion, where
  # compopt fails.
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
  case "$option" in
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
  const choices = command.arguments.flatMap(({ value }) => (typeof value === 'string' ? [] : value));
  return [
    `    ${command.name})`,
    `      options="${[...choices, ...flagsOf(command)].join(' ')}"`,
    ...(takesPaths ? ['      paths=1'] : []),
    '      ;;',
  ].join('\n');
}

/** What follows an option that takes a value. An option of one name takes the same in every command. */
function valueCases(commands: readonly CommandPage[]): string[] {
  const actions = new Map<string, string>();
  for (const { flags, value } of commands.flatMap(({ options }) => options)) {
    for (const flag of flags) {
      const action = actionOf(value);
      if ((actions.get(flag) ?? action) !== action) throw new Error(`${flag} takes different values in two commands`);
      actions.set(flag, action);
    }
  }
  const flags = new Map<string, string[]>();
  for (const [flag, action] of actions) flags.set(action, [...(flags.get(action) ?? []), flag]);
  flags.delete('');
  return [...flags].map(([action, names]) => `    ${names.join(' | ')})\n${action}\n      return\n      ;;`);
}

function actionOf(value: Value): string {
  if (value === 'none') return '';
  if (value === 'path') return '      _syncpozo_paths "$current"';
  return value === 'text' ? '      # Nothing is known of it.' : `      _syncpozo_words "${value.join(' ')}" "$current"`;
}
