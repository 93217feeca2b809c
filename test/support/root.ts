import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The project's root. The compiled tests run from dist/test; their Python helpers and fixtures are in test. */
export const projectRoot = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..');

/** A file below the project's root. */
export function inProject(...names: string[]): string {
  return join(projectRoot, ...names);
}
