/** Sections of a WebAssembly module (https://webassembly.github.io/spec/core/binary/modules.html). */
const HEAD_LENGTH = 8;
const TYPES = 1;
const IMPORTS = 2;
const MEMORIES = 5;
const MEMORY_KIND = 2;

/** The memory that a module imports, in pages of 64 KiB. */
export interface MemoryLimits {
  readonly least: number;
  readonly most: number;
  readonly shared: boolean;
}

/**
 * Replaces a module's own memory with an imported one, `memory.memory`, so that it can work in memory that threads
 * share. `module` must have types, one memory of its own and no imports; otherwise throws a RangeError.
 */
export function importingMemory(module: Uint8Array, limits: MemoryLimits): Uint8Array<ArrayBuffer> {
  const parts: Uint8Array[] = [module.subarray(0, HEAD_LENGTH)];
  const found: number[] = [];
  for (let at = HEAD_LENGTH; at < module.length; ) {
    const { id, end } = sectionAt(module, at);
    if (id !== MEMORIES) parts.push(module.subarray(at, end));
    if (id === TYPES) parts.push(importOf(limits));
    found.push(id);
    at = end;
  }
  if (!found.includes(TYPES) || !found.includes(MEMORIES) || found.includes(IMPORTS)) {
    throw new RangeError(`a module with the sections ${found.join(', ')} cannot be given another memory`);
  }
  return new Uint8Array(Buffer.concat(parts));
}

function sectionAt(module: Uint8Array, at: number): { readonly id: number; readonly end: number } {
  let length = 0;
  let next = at + 1;
  for (let shift = 0; ; shift += 7) {
    const byte = module[next++] ?? 0;
    length += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) break;
  }
  return { id: module[at] ?? 0, end: next + length };
}

function importOf({ least, most, shared }: MemoryLimits): Uint8Array {
  const name = [6, ...Buffer.from('memory', 'latin1')];
  const body = [1, ...name, ...name, MEMORY_KIND, shared ? 3 : 1, ...leb128(least), ...leb128(most)];
  return Uint8Array.from([IMPORTS, ...leb128(body.length), ...body]);
}

function leb128(value: number): number[] {
  return value < 0x80 ? [value] : [(value % 0x80) + 0x80, ...leb128(Math.floor(value / 0x80))];
}
