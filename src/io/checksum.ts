import { type HashInstance, newHash, STATE_LENGTH } from './hash-module.js';
import { ownMemory, WASM_PAGE } from './page-memory.js';

/** Hash and memory are kept between calls, because creating them takes longer than hashing a short text. */
let cached: { readonly memory: WebAssembly.Memory; readonly hash: HashInstance } | undefined;

/**
 * XXH64 (seed 0) of a text's UTF-8 bytes as 16 hexadecimal digits. It detects truncation and corruption, not forgery.
 */
export function checksum(text: string): string {
  return checksumOfBytes(Buffer.from(text, 'utf8')).toString(16).padStart(16, '0');
}

/** XXH64 (seed 0) of bytes. */
export function checksumOfBytes(bytes: Uint8Array): bigint {
  const { memory, hash } = hashFor(bytes.length);
  new Uint8Array(memory.buffer, WASM_PAGE).set(bytes);
  // init64 does not clear the length and the buffered bytes of the previous text.
  new Uint8Array(memory.buffer, 0, STATE_LENGTH).fill(0);
  hash.init64(0, 0n);
  hash.update64(0, WASM_PAGE, bytes.length);
  return BigInt.asUintN(64, hash.digest64(0));
}

function hashFor(length: number): NonNullable<typeof cached> {
  if (cached && cached.memory.buffer.byteLength >= WASM_PAGE + length) return cached;
  const memory = ownMemory(2 * WASM_PAGE + length);
  cached = { memory, hash: newHash(memory) };
  return cached;
}
