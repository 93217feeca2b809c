import { mkdirSync, readdirSync, readFileSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ownerName } from './processes.js';

const PREFIX = 'syncpozo-cluster-';

/** Where this process is in the unified hierarchy of control groups. */
function own(): string {
  const mount = /^\S+ (\S+) cgroup2 rw/m.exec(readFileSync('/proc/mounts', 'utf8'))?.[1];
  const path = /^0::(.*)$/m.exec(readFileSync('/proc/self/cgroup', 'utf8'))?.[1];
  if (mount === undefined || path === undefined) throw new Error('there are no control groups of version 2');
  return join(mount, path);
}

/** The group that a host's systemd has for its own; made for each boot. */
export class ControlGroup {
  readonly path: string;

  /** @param router process 1 of the host's router */
  constructor(router: number, host: string) {
    this.path = join(own(), `${PREFIX}${router}-${host}`);
  }

  create(): void {
    mkdirSync(this.path, { recursive: true });
  }

  /** Its processes may still be ending. */
  async remove(): Promise<void> {
    for (let tries = 0; ; tries++) {
      try {
        removeGroups(this.path);
        return;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
        if (tries === 200) throw error;
        await sleep(25);
      }
    }
  }
}

/** Removes what hosts of processes that were killed have left. */
export function removeStaleGroups(): void {
  for (const name of readdirSync(own())) {
    // A group without processes may be one whose host is about to boot.
    if (!name.startsWith(PREFIX) || ownerName(Number.parseInt(name.slice(PREFIX.length), 10)) !== '') continue;
    try {
      removeGroups(join(own(), name));
    } catch {
      // Its last processes are ending: the next one removes it.
    }
  }
}

function removeGroups(path: string): void {
  for (const entry of readdirSync(path, { withFileTypes: true }))
    if (entry.isDirectory()) removeGroups(join(path, entry.name));
  rmdirSync(path);
}
