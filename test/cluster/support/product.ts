import { existsSync, readFileSync } from 'node:fs';
import { inProject } from '../../support/root.js';

interface Package {
  readonly files: readonly string[];
  readonly scripts: Readonly<Record<string, string>>;
}

interface Installed {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

/** What an operator's host has after `npm install --global` of the package that `npm pack` writes, without what is bundled. */
export function productPaths(): string[] {
  const { files, scripts } = JSON.parse(readFileSync(inProject('package.json'), 'utf8')) as Package;
  const apart = [...(scripts['bundle'] ?? '').matchAll(/--external:(\S+)/g)].map(([, name]) => name!);
  return ['package.json', ...files, ...[...withDependencies(apart)].map((name) => `node_modules/${name}`)];
}

/** A dependency of another platform is not there. */
function withDependencies(names: readonly string[], found = new Set<string>()): Set<string> {
  for (const name of names) {
    const manifest = inProject('node_modules', name, 'package.json');
    if (found.has(name) || !existsSync(manifest)) continue;
    found.add(name);
    const { dependencies, optionalDependencies } = JSON.parse(readFileSync(manifest, 'utf8')) as Installed;
    withDependencies(Object.keys({ ...dependencies, ...optionalDependencies }), found);
  }
  return found;
}
