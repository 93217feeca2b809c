/**
 * The expected result of a sync: computed from the bytes of master and slave, with its own walker, so that the product does
 * not judge itself.
 */
export interface Due {
  readonly exitCode: 0 | 3 | 4;
  readonly kind: 'full' | 'append' | 'none' | 'rebuild' | 'parted' | 'differs in place';
  /** The slave after the sync. */
  readonly slave: Buffer | undefined;
  /** Nothing proves that the master continues the slave: every byte of the slave is kept. */
  readonly keeps?: true;
}

interface Transaction {
  readonly tid: string;
  readonly status: string;
  readonly length: number;
}

const MAGIC_LENGTH = 4;

/** `slave` is undefined if there is none yet. */
export function due(master: Buffer, committedEnd: number, slave: Buffer | undefined): Due {
  const committed = master.subarray(0, committedEnd);
  if (slave === undefined) return { exitCode: 0, kind: 'full', slave: committed };
  if (committed.subarray(0, slave.length).equals(slave)) {
    return { exitCode: 0, kind: committed.length === slave.length ? 'none' : 'append', slave: committed };
  }
  if (hasSameFrames(committed, slave)) return { exitCode: 4, kind: 'differs in place', slave };
  if (isAllNewer(committed, slave)) return { exitCode: 0, kind: 'rebuild', slave: committed, keeps: true };
  if (!isPackOf(committed, slave)) return { exitCode: 3, kind: 'parted', slave };
  return { exitCode: 0, kind: 'rebuild', slave: committed };
}

/** Transactions of the same lengths at the same positions, with other bytes: rot, neither a fork nor a pack. */
function hasSameFrames(master: Buffer, slave: Buffer): boolean {
  const lengths = (file: Buffer): string =>
    transactions(file)
      .map(({ length }) => length)
      .join();
  return lengths(master) === lengths(slave);
}

/**
 * A pack after which the two have nothing in common, and everything on the master is newer: a site of which every object
 * was written again looks like that, and so does another site.
 */
function isAllNewer(master: Buffer, slave: Buffer): boolean {
  const last = transactions(slave).at(-1)?.tid;
  const there = transactions(master);
  return last !== undefined && there[0]?.status === 'p' && there.every(({ tid }) => tid > last);
}

/**
 * Whether a pack can have turned the slave's content, and later transactions, into this master. A pack keeps tids, marks
 * packed transactions with 'p', and drops transactions without remaining records, even the newest one.
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
  // Everything is packed, and nothing is newer: the slave shows whether the pack came after the last sync.
  return last < newest.tid || (before !== undefined && (before.status !== 'p' || before.length > newest.length));
}

/** All transactions of a file that ends after a complete one. */
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
