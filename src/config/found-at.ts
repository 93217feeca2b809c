import { pathOf } from './values.js';
import type { Found } from './yaml-tree.js';

/** A text with the line on which a reader finds it. */
export interface Placed {
  readonly text: string;
  readonly line: number;
}

export interface PlacedPath {
  readonly path: string;
  readonly line: number;
}

/** The value of a key, whatever is wrong elsewhere. */
export function childOf(found: Found | undefined, key: string): Found | undefined {
  return found?.kind === 'mapping' ? found.entries.find((entry) => entry.key === key)?.value : undefined;
}

export function textAt(found: Found | undefined, key: string): Placed | undefined {
  const child = childOf(found, key);
  return child?.kind === 'scalar' && typeof child.value === 'string'
    ? { text: child.value, line: child.line }
    : undefined;
}

export function pathAt(found: Found | undefined, key: string): PlacedPath | undefined {
  const placed = textAt(found, key);
  const path = placed && pathOf(placed.text);
  return placed && path !== undefined ? { path, line: placed.line } : undefined;
}
