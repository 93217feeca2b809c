import bytes from '#xxhash';
import { importingMemory } from './wasm-memory.js';

/** XXH64 in WebAssembly: `state` and `from` are positions in the memory that it has been given. */
export interface HashInstance {
  readonly init64: (state: number, seed: bigint) => void;
  readonly update64: (state: number, from: number, length: number) => void;
  readonly digest64: (state: number) => bigint;
}

/** Bytes of a state: length 8, accumulators 32, buffered bytes 32, their count 4, padding. init64 does not clear all of them. */
export const STATE_LENGTH = 88;

/** Pages of 64 KiB that a memory may have at most, for this module: 4 GiB, all that there can be. */
const MOST_PAGES = 65_536;

/** For memory that threads share, and for memory that they do not. */
const compiled = new Map<boolean, WebAssembly.Module>();

/**
 * The WebAssembly module of xxhash-wasm over this memory, so that bytes are hashed where they lie. The package's JavaScript
 * face copies what it hashes and does not let go of its state, so we take the module itself. `memory`: one page at
 * least, and a maximum.
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
