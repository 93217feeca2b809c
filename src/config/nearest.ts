const FARTHEST = 2;

/** The one of `words` that was probably meant by `word`; undefined where none is near. */
export function nearest(word: string, words: readonly string[]): string | undefined {
  const plain = (text: string): string => text.toLowerCase().replaceAll(/[_ -]/g, '');
  const short = word.slice(0, 40);
  const distances = words.map((each) => ({ each, distance: distance(plain(short), plain(each)) }));
  const [best] = distances.toSorted((a, b) => a.distance - b.distance);
  // Two changes make any short word of any other.
  return best && best.distance <= Math.min(FARTHEST, best.each.length / 2 - 1) ? best.each : undefined;
}

/** How many characters have to be added, removed or replaced to turn one text into the other. */
function distance(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (let i = 1; i <= one.length; i++) {
    const next = [i];
    for (let j = 1; j <= other.length; j++) {
      const same = one[i - 1] === other[j - 1] ? 0 : 1;
      next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + same));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
