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
}

const MAGIC_LENGTH = 4;

/** `slave` is undefined where there is none yet. */
export function due(master: Buffer, committedEnd: number, slave: Buffer | undefined): Due {
  const committed = master.subarray(0, committedEnd);
  if (slave === undefined) return { exitCode: 0, kind: 'full', slave: committed };
  if (committed.subarray(0, slave.length).equals(slave)) {
    return { exitCode: 0, kind: committed.length === slave.length ? 'none' : 'append', slave: committed };
  }
  const isPackOf = holds(transactions(committed), transactions(slave).at(-1)?.tid);
  return isPackOf ? { exitCode: 0, kind: 'rebuild', slave: committed } : { exitCode: 3, kind: 'parted', slave };
}

/** Whether the master still has the transaction, or a pack may have dropped it: then it lies before what was not packed. */
function holds(master: readonly Transaction[], tid: string | undefined): boolean {
  if (tid === undefined || master.some((transaction) => transaction.tid === tid)) return true;
  const packed = master.findIndex(({ status }) => status !== 'p');
  const packedCount = packed === -1 ? master.length : packed;
  const next = master[packedCount] ?? master.at(-1);
  return packedCount > 0 && tid < next!.tid;
}

/** All transactions of a file that ends after a whole one. */
export function transactions(file: Buffer): Transaction[] {
  const found: Transaction[] = [];
  for (let position = MAGIC_LENGTH; position < file.length; ) {
    const tid = file.toString('hex', position, position + 8);
    found.push({ tid, status: String.fromCharCode(file[position + 16]!) });
    position += Number(file.readBigUInt64BE(position + 8)) + 8;
  }
  return found;
}
