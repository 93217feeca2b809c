/**
 * What is due when a slave is brought in step with a master: worked out from the bytes of both, with a walker of its own,
 * so that nothing of the engine judges itself.
 */
export interface Due {
  readonly exitCode: 0 | 3;
  readonly kind: 'full' | 'append' | 'none' | 'rebuild' | 'parted';
  /** The slave afterwards. */
  readonly slave: Buffer | undefined;
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
  if (!isPackOf(committed, slave)) return { exitCode: 3, kind: 'parted', slave };
  return { exitCode: 0, kind: 'rebuild', slave: committed };
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
  // Every pack leaves something that both have: without it, this is another site's.
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
