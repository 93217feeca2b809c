/**
 * The data of one object as ZODB stores it: a pickle of its class, then a pickle of its state. The only class written
 * here is persistent.mapping.PersistentMapping, which any ZODB can load without a site's own code. No memo is used, so
 * the two pickles are independent.
 */
const PROTOCOL_3 = [0x80, 3];
const EMPTY_DICT = 0x7d;
const MARK = 0x28;
const SETITEM = 0x73;
const SETITEMS = 0x75;
const UNICODE = 0x58;
const SHORT_BYTES = 0x43;
const TUPLE_OF_2 = 0x86;
const PERSISTENT_ID = 0x51;
const STOP = 0x2e;

const utf8 = new TextEncoder();
const CLASS = utf8.encode('cpersistent.mapping\nPersistentMapping\n');

/** A value in a mapping: a text, or another object by its oid. */
export type Value = string | bigint;

/** The two pickles of a PersistentMapping with these items. */
export function pickleMapping(items: Iterable<readonly [string, Value]>): Uint8Array {
  const parts: (Uint8Array | number[])[] = [PROTOCOL_3, CLASS, [STOP], PROTOCOL_3, [EMPTY_DICT], ...text('data')];
  parts.push([EMPTY_DICT, MARK]);
  for (const [name, value] of items) {
    parts.push(...text(name), ...(typeof value === 'bigint' ? reference(value) : text(value)));
  }
  parts.push([SETITEMS, SETITEM, STOP]);
  return concatenate(parts);
}

function text(value: string): (Uint8Array | number[])[] {
  const bytes = utf8.encode(value);
  const head = new Uint8Array(5);
  head[0] = UNICODE;
  new DataView(head.buffer).setUint32(1, bytes.length, true);
  return [head, bytes];
}

/** A persistent reference is (oid, class), as ZODB's serialize.py writes it. */
function reference(oid: bigint): (Uint8Array | number[])[] {
  const id = new Uint8Array(8);
  new DataView(id.buffer).setBigUint64(0, oid);
  return [[SHORT_BYTES, id.length], id, CLASS, [TUPLE_OF_2, PERSISTENT_ID]];
}

function concatenate(parts: readonly (Uint8Array | number[])[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
