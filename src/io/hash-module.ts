import fs from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { attempt } from './fault.js';

let compiled: WebAssembly.Module | undefined;

/**
 * The WebAssembly module of xxhash-wasm. Its JavaScript face copies what it hashes and does not let go of its state, so
 * we take the module itself: no imports, exports `mem`, `init64`, `update64`, `digest64`.
 */
export function loadHashModule(): WebAssembly.Module {
  if (compiled) return compiled;
  const entry = createRequire(import.meta.url).resolve('xxhash-wasm');
  const path = join(dirname(entry), '..', 'workerd', 'xxhash.wasm');
  compiled = new WebAssembly.Module(attempt('read', path, () => fs.readFileSync(path)));
  return compiled;
}
