import type { ByteSource } from '../filestorage/backward.js';
import { MAGIC_LENGTH } from '../filestorage/layout.js';
import { ObjectIndex } from '../filestorage/object-index.js';

const BUFFER_BYTES = 1 << 20;
const OID_LENGTH = 8;
/**
 * A reference in a pickle holds the oid as a short string of 8 bytes: SHORT_BINBYTES or SHORT_BINSTRING, then the
 * length.
 */
const OPCODES = ['C\x08', 'U\x08'].map((opcode) => Buffer.from(opcode, 'latin1'));
const OPCODE_LENGTH = 2;
/**
 * The prefix of data that zc.zlibstorage compressed (zlib's header follows). The references in it cannot be seen: it
 * may refer to any object.
 */
const COMPRESSED = Buffer.from('.zx');
/** The field before a record's data: its length, of which the upper half is zero. */
const LENGTH_FIELD = 8;
const CARRIED = LENGTH_FIELD + COMPRESSED.length;

/**
 * Whether bytes of a file look like a reference to one of these objects. A pack leaves out only objects that no kept
 * record refers to, so an object with a reference was not garbage. Bytes that only look like a reference cost a kept
 * file, as does a weak reference, which a pack does not follow.
 *
 * @param oids below 2^53
 */
export async function refersToAny(file: ByteSource, end: number, oids: Float64Array): Promise<boolean> {
  const requested = new ObjectIndex();
  for (const oid of oids) requested.set(Math.floor(oid / 0x1_0000_0000), (oid % 0x1_0000_0000) >>> 0, 1);
  const bytes = Buffer.alloc(BUFFER_BYTES);
  let held = 0;
  for (let position = MAGIC_LENGTH; position < end; ) {
    const room = bytes.subarray(held, Math.min(bytes.length, held + end - position));
    const count = await file.readBytes(room, position);
    if (count === 0) return false;
    position += count;
    const filled = held + count;
    const piece = bytes.subarray(0, filled);
    if (hasCompressed(piece)) return true;
    if (OPCODES.some((opcode) => refersIn(piece, opcode, requested))) return true;
    // A match may begin in this piece and end in the next one.
    held = Math.min(filled, CARRIED);
    bytes.copyWithin(0, filled - held, filled);
  }
  return false;
}

function refersIn(piece: Buffer, opcode: Buffer, requested: ObjectIndex): boolean {
  const last = piece.length - OPCODE_LENGTH - OID_LENGTH;
  for (let at = piece.indexOf(opcode); at >= 0 && at <= last; at = piece.indexOf(opcode, at + 1)) {
    const oid = at + OPCODE_LENGTH;
    if (requested.get(piece.readUInt32BE(oid), piece.readUInt32BE(oid + 4)) !== 0) return true;
  }
  return false;
}

function hasCompressed(piece: Buffer): boolean {
  for (let at = piece.indexOf(COMPRESSED, LENGTH_FIELD); at > 0; at = piece.indexOf(COMPRESSED, at + 1)) {
    if (piece.readUInt32BE(at - LENGTH_FIELD) === 0 && piece.readUInt32BE(at - LENGTH_FIELD / 2) >= COMPRESSED.length)
      return true;
  }
  return false;
}
