import { cpSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { inProject } from '../../support/root.js';

interface Package {
  readonly files: readonly string[];
}

interface Lock {
  readonly packages: Readonly<Record<string, { readonly dev?: boolean }>>;
}

/** Copies what `npm install --global` of the package that `npm pack` writes has: no more than an operator's host. */
export function stageProduct(directory: string): void {
  const { files } = JSON.parse(readFileSync(inProject('package.json'), 'utf8')) as Package;
  const { packages } = JSON.parse(readFileSync(inProject('package-lock.json'), 'utf8')) as Lock;
  const dependencies = Object.keys(packages).filter((path) => path !== '' && packages[path]?.dev !== true);
  for (const path of ['package.json', ...files, ...dependencies]) {
    const from = inProject(path);
    // A dependency of another platform is not there.
    if (!existsSync(from)) continue;
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    cpSync(from, join(directory, path), { recursive: true, dereference: true });
  }
}
