import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { PROGRAM } from '../support/cli.js';
import { BlobDirectory, Site } from '../support/site.js';

/** Paths of the examples, and what stands for them below the directory of a test; a longer one before its beginning. */
const STAND_INS: readonly (readonly [string, string])[] = [
  ['/mnt/m1/zeo/blobs', 'm1-blobs'],
  ['/mnt/m2/zeo/blobs', 'm2-blobs'],
  ['/srv/zeo/blobs', 'srv-blobs'],
  ['/mnt/m1/zeo/var', 'm1'],
  ['/mnt/m2/zeo/var', 'm2'],
  ['/srv/zeo/var', 'srv'],
  ['/var/run/syncPozo.status-of-m2', 'status-of-m2'],
  ['/srv/restored', 'restored'],
  ['/var/run/syncPozo.status', 'status'],
  ['/var/lib/prometheus/node-exporter', 'prometheus'],
  ['/usr/local/sbin/restart-zeo-clients', 'bin/restart-zeo-clients'],
];

/** How the other host of a page, m2, sees the same directories: a path there, and the one here. */
const ON_M2: readonly (readonly [string, string])[] = [
  ['/srv/zeo/', '/mnt/m2/zeo/'],
  ['/mnt/m1/zeo/', '/srv/zeo/'],
  ['/var/run/syncPozo.status', '/var/run/syncPozo.status-of-m2'],
];

/** Replaces every text of a pair by the other one, in one pass. */
function exchange(text: string, pairs: readonly (readonly [string, string])[]): string {
  return text
    .split(new RegExp(`(${pairs.map(([from]) => from).join('|')})`))
    .map((part) => new Map(pairs).get(part) ?? part)
    .join('');
}

/**
 * Whoever runs an example has a terminal, where the log is text. A busy machine must not run into the deadline of a takeover.
 * Options of the example come later, and win.
 */
const WRAPPER = `#!/bin/sh
command=$1
shift
case $command in
  promote) set -- --log-format text --patience 20 --catch-up 60 "$@" ;;
  sync | rejoin | demote | verify | compare | index | restore) set -- --log-format text "$@" ;;
esac
exec '${process.execPath}' '${PROGRAM}' "$command" "$@"
`;

export interface Ended {
  readonly status: number | null;
  /** Standard output and standard error as they come, with the paths of the examples. */
  readonly output: string;
}

/** The host on which the examples of a page run: a directory that stands for its paths, with `syncpozo` on the PATH. */
export class Host {
  /** Of all its sites: no two commits have the same tid, and none is of the future. */
  private time = Date.now() - 20_000;
  private readonly blobs = new Map<string, BlobDirectory>();

  constructor(private readonly directory: string) {
    const sides = ['m1', 'm2', 'srv'];
    for (const name of [...sides, ...sides.map((side) => `${side}-blobs`), 'prometheus', 'bin', 'restored'])
      mkdirSync(join(directory, name));
    writeFileSync(join(directory, 'bin', 'syncpozo'), WRAPPER, { mode: 0o755 });
    writeFileSync(join(directory, 'bin', 'restart-zeo-clients'), '#!/bin/sh\n', { mode: 0o755 });
  }

  /** Runs shell text of an example; `before` is the status of the command before it. */
  run(text: string, before = 0): Ended {
    return this.runIn(text, before, 'status');
  }

  /** Runs it as on the other host, which has its own paths and its own switch. */
  runOnM2(text: string): Ended {
    const { status, output } = this.runIn(exchange(text, ON_M2), 0, 'status-of-m2');
    return {
      status,
      output: exchange(
        output,
        ON_M2.map(([there, here]) => [here, there]),
      ),
    };
  }

  private runIn(text: string, before: number, statusFile: string): Ended {
    const here = STAND_INS.reduce((all, [path, name]) => all.replaceAll(path, join(this.directory, name)), text);
    // The subshell sets $? for `echo $?`.
    const done = spawnSync('sh', ['-c', `exec 2>&1\n(exit ${before})\n${here}`], {
      cwd: this.directory,
      encoding: 'utf8',
      timeout: 60_000,
      env: {
        ...process.env,
        PATH: `${join(this.directory, 'bin')}:${dirname(process.execPath)}:/usr/local/bin:/usr/bin:/bin`,
        SYNCPOZO_STATUS: join(this.directory, statusFile),
      },
    });
    if (done.error) throw done.error;
    const output = STAND_INS.reduce(
      (all, [path, name]) => all.replaceAll(join(this.directory, name), path),
      done.stdout,
    );
    return { status: done.status, output };
  }

  /** Runs what has to succeed before a page begins. */
  prepare(...commands: string[]): void {
    for (const command of commands) {
      const { status, output } = this.run(command);
      if (status !== 0) throw new Error(`${command} ended with ${status}:\n${output}`);
    }
  }

  /** Makes a Data.fs with five pages and three blobs, or with a file name of its own and none. */
  makeSite(side: string, file?: string): void {
    const site = Site.create(join(this.directory, side, file ?? 'Data.fs'), { clock: this.clock });
    for (let page = 1; page <= 5; page++) site.commit(site.pages(new Map([[page, `page ${page}`]])));
    site.close();
    if (file !== undefined) return;
    this.blobs.set(side, BlobDirectory.begin(join(this.directory, `${side}-blobs`)));
    for (const number of [1, 2, 3]) this.commitBlob(side, number);
  }

  /** The next commit is one second later. */
  startAt(time: Date): void {
    this.time = time.getTime();
  }

  /** Commits one more transaction to a Data.fs, as a site that is served does. */
  commit(file: string, text: string): void {
    const site = Site.open(join(this.directory, file), { clock: this.clock });
    site.commit(site.pages(new Map([[1, text]])));
    site.close();
  }

  /** Commits an object with a blob to a site. */
  commitBlob(side: string, number: number): void {
    const site = Site.open(join(this.directory, side, 'Data.fs'), { clock: this.clock });
    this.blobs.get(side)?.commit(site, number, Buffer.alloc(2048, `blob ${number} `));
    site.close();
  }

  private readonly clock = (): number => {
    this.time += 1000;
    return this.time;
  };
}
