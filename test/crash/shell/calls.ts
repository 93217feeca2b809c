import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { type Call, dataOf, failed, parseTrace, pathOfDescriptor, pathsGiven } from '../../faults/trace.js';
import {
  AROUND,
  type Change,
  type FileChange,
  type FileId,
  type NameChange,
  SLAVE,
  type SyncChange,
} from '../change.js';
import type { Image } from '../image.js';
import type { Disk } from '../model-disk.js';

/** The system calls that change a file or a name, or make a change durable; and execve, by which a program begins. */
export const RECORDED: readonly string[] =
  'execve open creat openat write pwrite64 writev ftruncate truncate copy_file_range sendfile rename renameat renameat2 link linkat symlink symlinkat unlink unlinkat mkdir mkdirat rmdir chmod fchmod fchmodat fchmodat2 fsync fdatasync sync syncfs'
    .split(' ')
    // Not every machine has all of them.
    .map((name) => `?${name}`);

/** What a program has done to some directories, in the terms of the fault model. */
export interface Recorded {
  readonly changes: readonly Change[];
  /** How many changes there were before the program that is the moment of the promise began; undefined: it never began. */
  readonly promisedAt: number | undefined;
}

/**
 * Turns the system calls of a program into changes of the directories, of which the first is the model's own one and the others
 * lie beside it. Whatever else it writes to is no concern of the model.
 */
export class CallRecorder {
  readonly start: Disk;
  private readonly changes: Change[] = [];
  private readonly names: Map<string, FileId>;
  private readonly sizes = new Map<FileId, number>();
  private readonly ids: ReadonlyMap<string, FileId>;
  private next = 1;

  constructor(private readonly directories: readonly string[]) {
    const [first = '', ...beside] = directories;
    this.ids = new Map([[first, SLAVE], ...beside.map((path) => [path, this.next++] as const)]);
    this.names = new Map();
    const images = new Map<FileId, Image>();
    for (const path of filesIn(directories)) {
      const file = this.next++;
      const bytes = readFileSync(path);
      this.names.set(this.nameOf(path), file);
      this.sizes.set(file, bytes.length);
      images.set(file, { bytes, attributes: 0 });
    }
    const others = new Map(beside.map((path) => [relative(first, path), this.ids.get(path) ?? AROUND]));
    this.start = { names: new Map(this.names), images, ...(beside.length > 0 && { directories: others }) };
  }

  /** @param promise whether this execve is the moment from which on everything has to be durable */
  record(trace: string, promise: (args: string) => boolean): Recorded {
    let promisedAt: number | undefined;
    for (const call of parseTrace(trace)) {
      if (failed(call)) continue;
      if (call.name === 'execve') {
        if (promisedAt === undefined && promise(call.args)) promisedAt = this.changes.length;
      } else this.note(call);
    }
    return { changes: this.changes, promisedAt };
  }

  private note(call: Call): void {
    const { name } = call;
    if (name === 'sync' || name === 'syncfs') {
      for (const file of this.sizes.keys()) this.push({ kind: 'sync', file, what: 'all' });
      for (const directory of this.ids.values()) this.push({ kind: 'sync-directory', directory });
      return;
    }
    const held = pathOfDescriptor(call);
    const given = pathsGiven(call);
    if (/^(open|creat)/.test(name)) this.open(call, given[0] ?? '');
    else if (/^f?(data)?sync$/.test(name)) this.sync(held ?? '', name);
    else if (/write|truncate|^fchmod$/.test(name)) this.changeContent(call, held ?? given[0] ?? '');
    else if (/^(f?chmod|fchmodat2?)$/.test(name)) this.changeContent(call, given[0] ?? '');
    else if (name.startsWith('rename')) this.rename(given);
    else if (name.startsWith('unlink')) this.unlink(given[0] ?? '');
    else if ([held ?? '', ...given].some((path) => this.isHere(path)))
      throw new Error(`not modelled: ${name}(${call.args})`);
  }

  private open({ args, result }: Call, asked: string): void {
    // The path of the descriptor is complete, that of the argument need not be.
    const path = /^\d+<([^>]*)>/.exec(result)?.[1] ?? asked;
    if (!this.isHere(path) || !/O_CREAT|O_TRUNC/.test(args)) return;
    const name = this.nameOf(path);
    const known = this.names.get(name);
    if (known === undefined) {
      const file = this.next++;
      this.names.set(name, file);
      this.sizes.set(file, 0);
      this.push({ kind: 'create', name, file, directory: this.directoryOf(path) });
    } else if (args.includes('O_TRUNC') && this.sizes.get(known) !== 0) {
      this.sizes.set(known, 0);
      this.push({ kind: 'truncate', file: known, size: 0 });
    }
  }

  private changeContent(call: Call, path: string): void {
    if (!this.isHere(path)) return;
    const file = this.fileAt(path);
    if (call.name.includes('chmod')) return this.push({ kind: 'attributes', file });
    if (call.name !== 'write') throw new Error(`not modelled: ${call.name}(${call.args})`);
    const size = this.sizes.get(file) ?? 0;
    const bytes = dataOf(call);
    this.sizes.set(file, size + bytes.length);
    this.push({ kind: 'write', file, position: size, bytes });
  }

  private sync(path: string, name: string): void {
    const directory = this.ids.get(path);
    if (directory !== undefined) this.push({ kind: 'sync-directory', directory });
    else if (this.isHere(path))
      this.push({ kind: 'sync', file: this.fileAt(path), what: name === 'fsync' ? 'all' : 'data' });
  }

  private rename([from = '', to = '']: readonly string[]): void {
    if (!this.isHere(from) && !this.isHere(to)) return;
    if (dirname(from) !== dirname(to)) throw new Error(`${from} is moved to another directory: ${to}`);
    const file = this.fileAt(from);
    this.names.delete(this.nameOf(from));
    this.names.set(this.nameOf(to), file);
    this.push({ kind: 'rename', from: this.nameOf(from), to: this.nameOf(to), file, directory: this.directoryOf(to) });
  }

  private unlink(path: string): void {
    if (!this.isHere(path)) return;
    const file = this.fileAt(path);
    this.names.delete(this.nameOf(path));
    this.push({ kind: 'unlink', name: this.nameOf(path), file, directory: this.directoryOf(path) });
  }

  private push(change: FileChange | NameChange | SyncChange): void {
    this.changes.push({ ...change, site: '', within: [] });
  }

  private isHere(path: string): boolean {
    return this.ids.has(dirname(path));
  }

  private directoryOf(path: string): FileId {
    return this.ids.get(dirname(path)) ?? SLAVE;
  }

  private nameOf(path: string): string {
    return relative(this.directories[0] ?? '', path);
  }

  private fileAt(path: string): FileId {
    const file = this.names.get(this.nameOf(path));
    if (file === undefined) throw new Error(`nothing is known at ${path}`);
    return file;
  }
}

/** The files of some directories by their path in the model, with their contents: the trace has to end at the same. */
export function contentsOf(directories: readonly string[]): Map<string, string> {
  const paths = filesIn(directories).map((path) => [relative(directories[0] ?? '', path), path] as const);
  return new Map(paths.map(([name, path]) => [name, readFileSync(path, 'utf8')]));
}

function filesIn(directories: readonly string[]): string[] {
  return directories.flatMap((directory) =>
    existsSync(directory)
      ? readdirSync(directory, { withFileTypes: true })
          .filter((entry) => entry.isFile())
          .map((entry) => join(directory, basename(entry.name)))
          .sort()
      : [],
  );
}
