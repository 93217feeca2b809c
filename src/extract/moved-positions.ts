interface Move {
  /** Position in the original from which on the shift holds. */
  readonly from: number;
  /** What is added to a position of the original. */
  readonly shift: number;
}

/**
 * Where the records of an original are in its copy. Records are copied in order, and nearly all keep their length: an entry is
 * needed only behind one that does not.
 */
export class MovedPositions {
  private readonly moves: Move[] = [];

  /** A record at `original` is at `copy`. Positions rise. */
  note(original: number, copy: number): void {
    const shift = copy - original;
    if (this.moves.at(-1)?.shift !== shift) this.moves.push({ from: original, shift });
  }

  /** The position in the copy of a record that was noted. */
  of(original: number): number {
    let from = 0;
    for (let to = this.moves.length; from < to; ) {
      const middle = (from + to) >> 1;
      if ((this.moves[middle]?.from ?? 0) <= original) from = middle + 1;
      else to = middle;
    }
    return original + (this.moves[from - 1]?.shift ?? 0);
  }
}
