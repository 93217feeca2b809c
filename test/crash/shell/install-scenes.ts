import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { scripts as ownScripts } from '../../scripts/shell.js';
import { type Files, LAST, LAST_COMMAND, type Program, type Scene } from './play.js';

/** What install.sh writes: a power cut in it costs a second run, and nothing of the operator's. */

const RECORD = '../lib/installed';
const [OLD, NEW, THEIRS] = ['the old version\n', 'the new version\n', "somebody else's\n"];
const PATH = '/etc/x';

const recordOf = (text: string): string => `${createHash('sha256').update(text).digest('hex')} ${PATH}\n`;

const FILES = ['install/files.sh'];

const library = (scripts: string, root: string): string =>
  `set -u; umask 022; root='${root}' record=/lib/installed stage='${root}/stage' dry_run='' changed=0 unchanged=0
host=m1 first=m1 second=m2; fail() { echo "$@"; exit 1; }; left() { :; }
for part in files machine heartbeat; do . '${scripts}'/install/"$part".sh; done`;

function makeHost(root: string, files: Files): void {
  for (const path of ['etc', 'etc/ha.d', 'lib', 'stage']) mkdirSync(join(root, path), { recursive: true });
  writeFileSync(join(root, 'stage', 'x'), NEW);
  for (const [name, text] of files) writeFileSync(join(root, 'etc', name), text);
}

function program(root: string, scripts: string, text: string): Program {
  const directories = [join(root, 'etc'), join(root, 'lib')];
  const command = ['sh', '-c', `${library(scripts, root)}\n${text}\n${LAST_COMMAND}`];
  return { directories, command, promise: LAST };
}

const place = `place copy 644 "$stage/x" ${PATH}`;

/** What the next run of install.sh takes the file for. */
const states = new Map<string, string>();

function stateOf(left: Files, root: string): string {
  const files = new Map([...left].filter(([name]) => name === 'x' || name === RECORD));
  const key = JSON.stringify([...files]);
  let found = states.get(key);
  if (found === undefined) {
    const host = join(root, 'after');
    rmSync(host, { recursive: true, force: true });
    makeHost(host, files);
    const text = `${library(ownScripts, host)}\nstate ${PATH} "$stage/x" 644`;
    found = spawnSync('sh', ['-c', text], { encoding: 'utf8' }).stdout.trim();
    states.set(key, found);
  }
  return found;
}

const newVersion: Scene = {
  name: 'install.sh: a new version',
  scripts: FILES,
  prepare(root, scripts) {
    makeHost(
      root,
      new Map([
        ['x', OLD],
        [RECORD, recordOf(OLD)],
      ]),
    );
    return program(root, scripts, place);
  },
  judge(left, promised, root) {
    const text = left.get('x');
    if (text !== NEW && (promised || text !== OLD)) return `the file is ${JSON.stringify(text)}`;
    if (promised && left.get(RECORD) !== recordOf(NEW)) return `the record is ${JSON.stringify(left.get(RECORD))}`;
    const state = stateOf(left, root);
    // As a file has its mode, it is not modelled.
    return ['old', 'same', 'mode'].includes(state) ? undefined : `the next run takes the file for ${state}`;
  },
};

const lines: Scene = {
  name: "install.sh: its lines in the operator's file",
  scripts: FILES,
  prepare(root, scripts) {
    makeHost(root, new Map([['x', OLD]]));
    return program(root, scripts, `place block 644 "$stage/x" ${PATH}`);
  },
  judge(left, promised) {
    const text = left.get('x');
    return text === NEW || (!promised && text === OLD) ? undefined : `the file is ${JSON.stringify(text)}`;
  },
};

const forced: Scene = {
  name: "install.sh --force: somebody else's file",
  scripts: FILES,
  prepare(root, scripts) {
    makeHost(root, new Map([['x', THEIRS]]));
    return program(root, scripts, place);
  },
  judge(left, promised) {
    const kept = left.get('x.dpkg-old') === THEIRS;
    const text = left.get('x');
    if (!kept && (promised || text !== THEIRS)) return 'what was there is lost';
    return text === NEW || (!promised && text === THEIRS) ? undefined : `the file is ${JSON.stringify(text)}`;
  },
};

const key: Scene = {
  name: "install.sh: heartbeat's key",
  scripts: FILES,
  prepare(root, scripts) {
    makeHost(root, new Map());
    return { ...program(root, scripts, 'make_authkeys'), directories: [join(root, 'etc', 'ha.d')] };
  },
  judge(left, promised) {
    const text = left.get('authkeys');
    if (text === undefined && !promised) return undefined;
    return /^auth 1\n1 sha1 [0-9a-f]{64}\n$/.test(text ?? '') ? undefined : `the key is ${JSON.stringify(text)}`;
  },
};

export const INSTALL_SCENES: readonly Scene[] = [newVersion, lines, forced, key];
