/** The opcodes of the pickles in `Data.fs.index` (pickletools.py). For their order, see index-layout.ts. */
export enum Opcode {
  Stop = 0x2e,
  LongBytes = 0x42,
  ShortBytes = 0x43,
  IntOf4 = 0x4a,
  IntOf1 = 0x4b,
  IntOf2 = 0x4d,
  None = 0x4e,
  TupleOfTwo = 0x86,
  IntOfAny = 0x8a,
}

/** The first bytes of every pickle: protocol 3. */
export const PROTOCOL = [0x80, 3] as const;
export const LONGEST_SHORT_BYTES = 0xff;

/** The opcode and the number of bytes that a pickle uses for a non-negative integer. */
export function integerForm(value: number): { readonly opcode: number; readonly length: number } {
  if (value < 2 ** 8) return { opcode: Opcode.IntOf1, length: 1 };
  if (value < 2 ** 16) return { opcode: Opcode.IntOf2, length: 2 };
  if (value < 2 ** 31) return { opcode: Opcode.IntOf4, length: 4 };
  let length = 4;
  // The highest bit is the sign.
  while (value >= 2 ** (8 * length - 1)) length++;
  return { opcode: Opcode.IntOfAny, length };
}
