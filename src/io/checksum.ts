import { newHash } from './hash-module.js';
import { ownMemory, WASM_PAGE } from './page-memory.js';

/** XXH64 (seed 0) of a text's UTF-8 bytes, 16 hexadecimal digits: to tell a text that was cut or altered, not a forged one. */
export function checksum(text: string): string {
  const bytes = Buffer.from(text, 'utf8');
  // The state stands at the beginning of a fresh memory, which is zero.
  const memory = ownMemory(WASM_PAGE + bytes.length);
  new Uint8Array(memory.buffer, WASM_PAGE).set(bytes);
  const hash = newHash(memory);
  hash.init64(0, 0n);
  hash.update64(0, WASM_PAGE, bytes.length);
  return BigInt.asUintN(64, hash.digest64(0)).toString(16).padStart(16, '0');
}
