import { type HashInstance, newHash, STATE_LENGTH } from './hash-module.js';
import { ownMemory, WASM_PAGE } from './page-memory.js';

/** Memory with a hash's state at its beginning, and the hash that works in it: making one takes longer than a short text. */
let known: { readonly memory: WebAssembly.Memory; readonly hash: HashInstance } | undefined;

/** XXH64 (seed 0) of a text's UTF-8 bytes, 16 hexadecimal digits: to tell a text that was cut or altered, not a forged one. */
export function checksum(text: string): string {
  const bytes = Buffer.from(text, 'utf8');
  const { memory, hash } = hashFor(bytes.length);
  new Uint8Array(memory.buffer, WASM_PAGE).set(bytes);
  // init64 leaves length and buffered bytes as the last text has left them.
  new Uint8Array(memory.buffer, 0, STATE_LENGTH).fill(0);
  hash.init64(0, 0n);
  hash.update64(0, WASM_PAGE, bytes.length);
  return BigInt.asUintN(64, hash.digest64(0)).toString(16).padStart(16, '0');
}

function hashFor(length: number): NonNullable<typeof known> {
  if (known && known.memory.buffer.byteLength >= WASM_PAGE + length) return known;
  const memory = ownMemory(2 * WASM_PAGE + length);
  known = { memory, hash: newHash(memory) };
  return known;
}
