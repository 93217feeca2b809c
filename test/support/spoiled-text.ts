import { Random } from './random.js';

/** The text with each of its bits flipped in turn. */
export function* oneBitFlipped(text: string): Generator<string> {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at++) {
    for (let bit = 0; bit < 8; bit++) {
      const flipped = Buffer.from(bytes);
      flipped[at] = flipped[at]! ^ (1 << bit);
      yield flipped.toString('utf8');
    }
  }
}

/** The text with up to six random bytes in it, sometimes without its head. */
export function* randomlySpoiled(text: string, seed: number, rounds: number): Generator<string> {
  const random = new Random(seed);
  for (let round = 0; round < rounds; round++) {
    const bytes = Buffer.from(text);
    for (let n = random.below(6); n >= 0; n--) bytes[random.below(bytes.length)] = random.below(256);
    const spoiled = bytes.toString('utf8', random.below(2) * random.below(40));
    if (spoiled !== text) yield spoiled;
  }
}
