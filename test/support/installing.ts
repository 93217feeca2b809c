import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run, scripts, writeScript } from '../scripts/shell.js';
import { inProject } from './root.js';

/** install.sh with a folder in the place of `/`, and the configuration of a cluster whose every value differs from the samples. */
export class Installing {
  readonly root: string;
  readonly configuration: string;

  constructor(
    readonly directory: string,
    text = OTHER_CLUSTER,
  ) {
    this.root = join(directory, 'root');
    this.configuration = join(directory, 'syncpozo.yml');
    mkdirSync(this.root);
    this.write(text);
    writeScript(join(directory, 'syncpozo'), `exec '${process.execPath}' '${inProject('dist/app/cli.cjs')}' "$@"`);
  }

  write(text: string): void {
    writeFileSync(this.configuration, text);
  }

  async run(host: string, ...options: readonly string[]) {
    const env = { ...process.env, SYNCPOZO: join(this.directory, 'syncpozo') };
    const args = ['--host', host, '--config', this.configuration, '--root', this.root, ...options];
    return run(join(scripts, 'install.sh'), args, { env });
  }

  read(path: string): string {
    return readFileSync(join(this.root, path), 'utf8');
  }

  /** A file's lines without comments and blank ones. */
  settings(path: string): readonly string[] {
    return this.read(path)
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== '' && !line.startsWith('#'));
  }

  /** Every file by its path below the root, with its content; a link has where it leads. */
  files(): ReadonlyMap<string, string> {
    const entries = readdirSync(this.root, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    const paths = entries.map((entry) => join(entry.parentPath ?? entry.path, entry.name)).sort();
    return new Map(paths.map((path) => [path.slice(this.root.length), readFileSync(path, 'utf8')]));
  }
}

/** The addresses of one host look like those of the other one in the samples. */
export const OTHER_CLUSTER = `storages:
  main: { master: /media/far-side/site/data, slave: /opt/db/site/data, blobs: { master: /media/far-side/site/files, slave: /opt/db/site/files } }
  catalog: { master: /media/far-side/site/more/catalog.fs, slave: /opt/db/site/more/catalog.fs }
status-file: /var/lib/other/switch
watch: { listen: 127.0.0.1:9188 }
cluster:
  hosts:
    alpha.example.net: { address: 192.168.1.12, heartbeat: 172.16.5.1 }
    beta.example.net: { address: 192.168.1.112, heartbeat: 172.16.5.2 }
  address: 192.168.1.110/23
  interface: bond0
  heartbeat-interface: ens5
  deadtime: 8s
  zeo: { control: /opt/db/site/bin/zeoserver, port: 8765, user: plone_db }
  clients: { restart: [systemctl, restart, plone.service], caches: [/var/cache/plone/*.zec] }
`;
