import { newHash } from './hash-module.js';

const PAGE = 65_536;

/** XXH64 (seed 0) of a text's UTF-8 bytes, 16 hexadecimal digits: to tell a text that was cut or altered, not a forged one. */
export function checksum(text: string): string {
  const bytes = Buffer.from(text, 'utf8');
  const hash = newHash();
  // The state stands at the beginning of a fresh memory, which is zero.
  hash.mem.grow(Math.ceil(bytes.length / PAGE));
  new Uint8Array(hash.mem.buffer, PAGE).set(bytes);
  hash.init64(0, 0n);
  hash.update64(0, PAGE, bytes.length);
  return BigInt.asUintN(64, hash.digest64(0)).toString(16).padStart(16, '0');
}
