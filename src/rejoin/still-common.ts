import { BackwardReader, type ByteSource, type FoundTransaction } from '../filestorage/backward.js';
import { STATUS_PACKED, TRANSACTION_HEADER_LENGTH } from '../filestorage/layout.js';
import { firstDifference } from '../pipeline/scan.js';

/** A file whose transactions can be read backwards from `end`. */
interface Ending {
  readonly source: ByteSource;
  readonly end: number;
}

/** Own transactions of an old master are thousands. With more than this, the two were hardly the same at `position`. */
const MOST_OWN = 1 << 21;

/**
 * Whether the histories do not fork at `position`, although the bytes differ from there on: a transaction behind it is on both
 * sides, or was packed. Then one side was packed since they were the same, or bytes have rotted in a transaction of both.
 */
export async function areStillCommon(slave: Ending, master: Ending, position: number): Promise<boolean> {
  const own = new Map<bigint, FoundTransaction>();
  for await (const found of behind(slave, position)) {
    if (found.status === STATUS_PACKED || own.size === MOST_OWN) return true;
    own.set(found.tid, found);
  }
  for await (const found of behind(master, position)) {
    if (found.status === STATUS_PACKED) return true;
    const same = own.get(found.tid);
    // Two servers may give the same tid to two transactions; those have other texts.
    if (same && (await haveSameTexts(slave.source, same, master.source, found))) return true;
  }
  return false;
}

async function* behind({ source, end }: Ending, position: number): AsyncGenerator<FoundTransaction> {
  for await (const found of new BackwardReader(source).from(end)) {
    if (found.position < position) return;
    yield found;
  }
}

async function haveSameTexts(
  a: ByteSource,
  here: FoundTransaction,
  b: ByteSource,
  there: FoundTransaction,
): Promise<boolean> {
  const [ours, theirs] = [await textsOf(a, here), await textsOf(b, there)];
  return ours.length === theirs.length && firstDifference(ours, theirs) === undefined;
}

/** User, description and extension. */
async function textsOf(source: ByteSource, found: FoundTransaction): Promise<Uint8Array> {
  const texts = new Uint8Array(found.userLength + found.descriptionLength + found.extensionLength);
  await source.readBytes(texts, found.position + TRANSACTION_HEADER_LENGTH);
  return texts;
}
