/** One system call of a traced program. */
export interface Call {
  readonly thread: string;
  readonly name: string;
  /** The arguments in strace's syntax. */
  readonly args: string;
  /** The return value: a number, or -1 with an error's name. */
  readonly result: string;
  readonly injected: boolean;
}

/** Parses strace's output into calls, in the order in which they ended. */
export function parseTrace(text: string): Call[] {
  const begun = new Map<string, string>();
  return text.split('\n').flatMap((line) => {
    const match = /^(\d+) +(.*)$/s.exec(line);
    if (!match) return [];
    const [, thread = '', text = ''] = match;
    if (text.endsWith(' <unfinished ...>')) {
      begun.set(thread, text.slice(0, -' <unfinished ...>'.length));
      return [];
    }
    const resumed = /^<\.\.\. \w+ resumed>(.*)$/s.exec(text);
    const complete = resumed ? (begun.get(thread) ?? '') + (resumed[1] ?? '') : text;
    const call = /^(\w+)\((.*)\) += (.*)$/s.exec(complete);
    if (!call) return [];
    const [, name = '', args = '', result = ''] = call;
    return [{ thread, name, args, result, injected: result.endsWith('(INJECTED)') || result.endsWith('(DELAYED)') }];
  });
}

export function failed({ result }: Call): boolean {
  return result.startsWith('-1 ');
}

/** The path of the descriptor in the call's first argument; undefined if it is none. */
export function pathOfDescriptor({ args }: Call): string | undefined {
  return /^\d+<([^>]*)>/.exec(args)?.[1];
}

/** The paths in the call's arguments, in order; not its data. */
export function pathsGiven({ name, args }: Call): string[] {
  if (/write|read/.test(name)) return [];
  return [...args.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map((match) => decoded(match[1] ?? '').toString('utf8'));
}

/** The bytes of the call's first string. */
export function dataOf({ args }: Call): Buffer {
  return decoded(/"((?:[^"\\]|\\.)*)"/s.exec(args)?.[1] ?? '');
}

const NAMED: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', f: '\f', v: '\v', b: '\b', a: '\x07' };

/** Bytes of a string in strace's syntax: C's escapes, octal ones of up to three digits. */
function decoded(text: string): Buffer {
  const plain = text.replace(/\\([0-7]{1,3}|.)/gs, (_, code: string) =>
    /^[0-7]/.test(code) ? String.fromCharCode(Number.parseInt(code, 8)) : (NAMED[code] ?? code),
  );
  return Buffer.from(plain, 'latin1');
}
