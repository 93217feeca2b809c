/** Strings, and the delimiters of objects and lists; no other part of JSON contains these. */
const TOKENS = /"(?:[^"\\]|\\.)*"|[{}[\],:]/g;

/** The duplicate keys of any object in a JSON text, which JSON.parse accepts: it uses the last one. */
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
