/**
 * What is due when a slave is brought in step with a master: worked out from the bytes of both, with a walker of its own,
 * so that nothing of the product judges itself.
 */
export interface Due {
  readonly exitCode: 0 | 3 | 4;
  readonly kind: 'full' | 'append' | 'none' | 'rebuild' | 'parted' | 'differs in place';
  /** The slave afterwards. */
  readonly slave: Buffer | undefined;
  /** Nothing shows that the master goes on from the slave: every byte of the slave is kept. */
  readonly keeps?: true;
}

interface Transaction {
  readonly tid: string;
  readonly status: string;
  readonly length: number;
}

const MAGIC_LENGTH = 4;

/** `slave` is undefined where there is none yet. */
export function due(master: Buffer, committedEnd: number, slave: Buffer | undefined): Due {
  const committed = master.subarray(0, committedEnd);
  if (slave === undefined) return { exitCode: 0, kind: 'full', slave: committed };
  if (committed.subarray(0, slave.length).equals(slave)) {
    return { exitCode: 0, kind: committed.length === slave.length ? 'none' : 'append', slave: committed };
  }
  if (hasSameFrames(committed, slave)) return { exitCode: 4, kind: 'differs in place', slave };
  if (isWhollyNewer(committed, slave)) return { exitCode: 0, kind: 'rebuild', slave: committed, keeps: true };
  if (!isPackOf(committed, slave)) return { exitCode: 3, kind: 'parted', slave };
  return { exitCode: 0, kind: 'rebuild', slave: committed };
}

/** Transactions of the same lengths in the same places, with other bytes: what rot makes of a file, no history and no pack. */
function hasSameFrames(master: Buffer, slave: Buffer): boolean {
  const lengths = (file: Buffer): string =>
    transactions(file)
      .map(({ length }) => length)
      .join();
  return lengths(master) === lengths(slave);
}

/**
 * A pack after which the two have nothing in common, and everything of the master is newer: a site of which every object was
 * written again looks like that, and so does another site.
 */
function isWhollyNewer(master: Buffer, slave: Buffer): boolean {
  const last = transactions(slave).at(-1)?.tid;
  const there = transactions(master);
  return last !== undefined && there[0]?.status === 'p' && there.every(({ tid }) => tid > last);
}

/**
 * Whether a pack can have made this master of what the slave holds, and of what came after. A pack keeps tids, marks what it
 * has been through by 'p', and drops transactions of which nothing is left, the newest one too.
 */
function isPackOf(master: Buffer, slave: Buffer): boolean {
  const here = transactions(slave);
  const there = transactions(master);
  const last = here.at(-1)?.tid;
  if (last === undefined || there.some(({ tid }) => tid === last)) return true;
  // With nothing in common, and older transactions of its own, this is another site's.
  if (!there.some(({ tid }) => here.some((ours) => ours.tid === tid))) return false;
  const newest = there.at(-1);
  if (there[0]?.status !== 'p' || newest === undefined) return false;
  const unpacked = there.find(({ status }) => status !== 'p');
  if (unpacked !== undefined) return last < unpacked.tid;
  const before = here.find(({ tid }) => tid === newest.tid);
  // All of it packed, and nothing newer: the slave shows whether the pack came after the last sync.
  return last < newest.tid || (before !== undefined && (before.status !== 'p' || before.length > newest.length));
}

/** All transactions of a file that ends after a whole one. */
export function transactions(file: Buffer): Transaction[] {
  const found: Transaction[] = [];
  for (let position = MAGIC_LENGTH; position < file.length; ) {
    const tid = file.toString('hex', position, position + 8);
    const length = Number(file.readBigUInt64BE(position + 8)) + 8;
    found.push({ tid, status: String.fromCharCode(file[position + 16]!), length });
    position += length;
  }
  return found;
}
