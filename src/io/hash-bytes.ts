import fs from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { attempt } from './fault.js';

/** The WebAssembly of the xxhash-wasm package. The bundled program embeds the same bytes (see package.json). */
export default readModule();

function readModule(): Uint8Array {
  const entry = createRequire(import.meta.url).resolve('xxhash-wasm');
  const path = join(dirname(entry), '..', 'workerd', 'xxhash.wasm');
  return attempt('read', path, () => fs.readFileSync(path));
}
