import type { CommandLine, CommandPage, OptionPage, Value } from './command-line.js';

/** The completion for zsh, with the descriptions of commands and options. */
export function zshCompletion({ program, commands }: CommandLine): string {
  const names = [...commands.map(({ name, description }) => `${name}:${description}`), 'help:display help for command'];
  return `#compdef syncpozo
# zsh completion of syncpozo. Generated from the command line by \`npm run build\`.
# Put the directory of this file into fpath before compinit runs.

_syncpozo() {
  local curcontext="$curcontext" state line
  local -a commands
  commands=(
${names.map((text) => `    ${quoted(text)}`).join('\n')}
  )
  _arguments -C \\
${program.options.flatMap(specsOf).join(' \\\n')} \\
    '1: :->command' \\
    '*:: :->arguments'
  case $state in
    command)
      _describe -t commands command commands
      ;;
    arguments)
      case $words[1] in
${commands.map(caseOf).join('\n')}
        help)
          _describe -t commands command commands
          ;;
      esac
      ;;
  esac
}

if [[ $funcstack[1] == _syncpozo ]]; then
  _syncpozo "$@"
else
  compdef _syncpozo syncpozo
fi
`;
}

function caseOf({ name, options, arguments: places }: CommandPage): string {
  const specs = [
    ...options.flatMap(specsOf),
    ...places.map(({ name: place, value, variadic }, index) => {
      return `    ${quoted(`${variadic ? '*' : index + 1}:${place}:${actionOf(value)}`)}`;
    }),
  ];
  const body = specs.map((spec) => `        ${spec}`).join(' \\\n');
  return `        ${name})\n          _arguments -s -S \\\n${body}\n          ;;`;
}

/** One specification for each flag; the flags of one option exclude each other. */
function specsOf({ flags, description, placeholder, value }: OptionPage): string[] {
  const name = placeholder.replace(/[<>]/g, '');
  const explained = description.replace(/[\\[\]:]/g, '\\$&');
  return flags.map((flag) => {
    const takes = value === 'none' ? '' : `:${name}:${actionOf(value)}`;
    const sign = value !== 'none' && flag.startsWith('--') ? '=' : '';
    return `    ${quoted(`(${flags.join(' ')})${flag}${sign}[${explained}]${takes}`)}`;
  });
}

function actionOf(value: Value): string {
  if (value === 'path') return '_files';
  return typeof value === 'string' ? ' ' : `(${value.join(' ')})`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
