import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

/** A program of another project that judges in a test; `skip` says how to get it where it is missing. */
export function tool(path: string, debianPackage: string) {
  return {
    path,
    skip: existsSync(path) ? false : `not run: there is no ${path} here (Debian: apt-get install ${debianPackage})`,
    run(args: readonly string[], input = ''): { readonly status: number | null; readonly output: string } {
      const { status, stdout, stderr } = spawnSync(path, args, { input, encoding: 'utf8', timeout: 120_000 });
      return { status, output: stdout + stderr };
    },
  };
}

export const promtool = tool('/usr/bin/promtool', 'prometheus');
