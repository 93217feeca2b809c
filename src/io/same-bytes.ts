import { OpenFile } from './open-file.js';

const PIECE = 1 << 20;

/** Whether two files hold the same bytes. */
export function hasSameBytes(one: string, other: string): boolean {
  const a = OpenFile.openHere(one);
  try {
    const b = OpenFile.openHere(other);
    try {
      return isSame(a, b);
    } finally {
      b.closeQuietly();
    }
  } finally {
    a.closeQuietly();
  }
}

function isSame(a: OpenFile, b: OpenFile): boolean {
  if (a.facts().size !== b.facts().size) return false;
  const mine = Buffer.alloc(PIECE);
  const other = Buffer.alloc(PIECE);
  for (let position = 0; ; position += PIECE) {
    const count = a.read(mine, PIECE, position);
    if (count !== b.read(other, PIECE, position)) return false;
    if (mine.compare(other, 0, count, 0, count) !== 0) return false;
    if (count < PIECE) return true;
  }
}
