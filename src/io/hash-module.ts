import bytes from '#xxhash';
import { importingMemory } from './wasm-memory.js';

/** XXH64 in WebAssembly. `state` and `from` are positions in its memory. */
export interface HashInstance {
  readonly init64: (state: number, seed: bigint) => void;
  readonly update64: (state: number, from: number, length: number) => void;
  readonly digest64: (state: number) => bigint;
}

/**
 * Bytes of a state: length 8, accumulators 32, buffered bytes 32, their count 4, padding. init64 does not clear all of
 * it.
 */
export const STATE_LENGTH = 88;

/** Maximum memory of this module in pages of 64 KiB: 4 GiB, the limit of 32-bit WebAssembly. */
const MOST_PAGES = 65_536;

/** One module for shared memory, one for unshared memory. */
const compiled = new Map<boolean, WebAssembly.Module>();

/**
 * The WebAssembly module of xxhash-wasm over the given memory, so that bytes are hashed in place. The package's
 * JavaScript API copies its input and does not expose the state, so the module is used directly. `memory` needs at
 * least one page, and a maximum.
 */
export function newHash(memory: WebAssembly.Memory): HashInstance {
  const isShared = memory.buffer instanceof SharedArrayBuffer;
  const module = compiled.get(isShared) ?? load(isShared);
  compiled.set(isShared, module);
  return new WebAssembly.Instance(module, { memory: { memory } }).exports as unknown as HashInstance;
}

function load(isShared: boolean): WebAssembly.Module {
  return new WebAssembly.Module(importingMemory(bytes, { least: 1, most: MOST_PAGES, shared: isShared }));
}
