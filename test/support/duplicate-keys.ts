/** Strings, and the marks that begin, end or divide objects and lists; whatever else JSON has holds none of these. */
const TOKENS = /"(?:[^"\\]|\\.)*"|[{}[\],:]/g;

/** The keys that stand more than once in one object of a JSON text, which JSON.parse accepts: the last one counts to it. */
export function duplicateKeys(text: string): string[] {
  const duplicates: string[] = [];
  const open: (Set<string> | undefined)[] = [];
  const tokens = text.match(TOKENS) ?? [];
  tokens.forEach((token, n) => {
    if (token === '{') open.push(new Set());
    else if (token === '[') open.push(undefined);
    else if (token === '}' || token === ']') open.pop();
    else if (token.startsWith('"') && tokens[n + 1] === ':') {
      const key = JSON.parse(token) as string;
      if (open.at(-1)?.has(key)) duplicates.push(key);
      open.at(-1)?.add(key);
    }
  });
  return duplicates;
}
