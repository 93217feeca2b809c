import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Run, Running, type RunOptions, syncpozo } from './cli.js';
import { Pair } from './pair.js';
import { withTempDir } from './site.js';

/** A configuration file of several storages, each of them a pair in a directory of its own. */
export class Configured {
  readonly pairs: ReadonlyMap<string, Pair>;
  readonly path: string;
  readonly statusFile: string;

  constructor(
    readonly directory: string,
    names: readonly string[],
  ) {
    this.path = join(directory, 'syncpozo.yml');
    this.statusFile = join(directory, 'status');
    this.pairs = new Map(
      names.map((name) => {
        mkdirSync(join(directory, name));
        return [name, new Pair(join(directory, name))];
      }),
    );
    this.write();
  }

  pair(name: string): Pair {
    const pair = this.pairs.get(name);
    if (!pair) throw new Error(`there is no storage ${name}`);
    return pair;
  }

  /**
   * Writes the file: `more` has further lines of a storage by its name, `rest` what follows the storages, `masters` other
   * paths of masters.
   */
  write(
    more: Readonly<Record<string, readonly string[]>> = {},
    rest: readonly string[] = [],
    masters: Readonly<Record<string, string>> = {},
  ): this {
    const storages = [...this.pairs].flatMap(([name, { master, slave }]) => {
      const keys = [`master: ${masters[name] ?? master}`, `slave: ${slave}`, ...(more[name] ?? [])];
      return [`  ${name}:`, ...keys.map((key) => `    ${key}`)];
    });
    const lines = ['storages:', ...storages, `status-file: ${this.statusFile}`, ...rest];
    writeFileSync(this.path, `${lines.join('\n')}\n`);
    return this;
  }

  run(command: string, ...args: readonly string[]): Run {
    return this.runWith({}, command, ...args);
  }

  runWith(options: RunOptions, command: string, ...args: readonly string[]): Run {
    return syncpozo([command, ...args, '--config', this.path], options);
  }

  start(command: string, ...args: readonly string[]): Running {
    return Running.start([command, ...args, '--config', this.path]);
  }

  close(): void {
    for (const { site } of this.pairs.values()) site.close();
  }
}

export async function withConfigured(
  names: readonly string[],
  use: (configured: Configured) => void | Promise<void>,
): Promise<void> {
  await withTempDir(async (directory) => {
    const configured = new Configured(directory, names);
    try {
      await use(configured);
    } finally {
      configured.close();
    }
  });
}
