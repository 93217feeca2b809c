import fs from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { attempt } from './fault.js';

/** XXH64 in WebAssembly: `state` and `from` are positions in `mem`. */
export interface HashInstance {
  readonly mem: WebAssembly.Memory;
  readonly init64: (state: number, seed: bigint) => void;
  readonly update64: (state: number, from: number, length: number) => void;
  readonly digest64: (state: number) => bigint;
}

let compiled: WebAssembly.Module | undefined;

/**
 * The WebAssembly module of xxhash-wasm, with a memory of its own. The package's JavaScript face copies what it hashes and
 * does not let go of its state, so we take the module itself.
 */
export function newHash(): HashInstance {
  compiled ??= loadModule();
  return new WebAssembly.Instance(compiled).exports as unknown as HashInstance;
}

function loadModule(): WebAssembly.Module {
  const entry = createRequire(import.meta.url).resolve('xxhash-wasm');
  const path = join(dirname(entry), '..', 'workerd', 'xxhash.wasm');
  return new WebAssembly.Module(attempt('read', path, () => fs.readFileSync(path)));
}
