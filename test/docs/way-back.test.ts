import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { freePort } from '../scripts/zeo.js';
import { inProject } from '../support/root.js';
import { withTempDir } from '../support/site.js';
import { venvProgram } from '../support/venv.js';
import { Started } from '../zodb/zeo.js';
import { Host } from './host.js';
import { type Block, blocksOf, sectionOf } from './markdown.js';
import { afterTakeover } from './way-back.js';

const PAGE = 'docs/way-back.md';
const BACK = '--blobs /mnt/m2/zeo/blobs:/srv/zeo/blobs';

test('the command that way-back.md forbids does what the page says, and the way out of it gives the newer data back', async () => {
  const forbidden = blocksOf(PAGE).find(({ remark }) => remark.includes('nobody must run'));
  assert.ok(forbidden);
  await withTempDir((directory) => {
    const host = new Host(directory);
    host.makeSite('m1');
    host.prepare(
      'syncpozo sync --quiet /mnt/m1/zeo/var /srv/zeo/var --blobs /mnt/m1/zeo/blobs:/srv/zeo/blobs',
      'syncpozo promote --quiet /srv/zeo/var',
    );
    host.commit('m1/Data.fs', 'what nobody copied any more');
    host.commit('srv/Data.fs', 'the first edit after the takeover');
    const serving = readFileSync(join(directory, 'srv', 'Data.fs'));
    assert.match(host.run('syncpozo on; syncpozo sync --full /mnt/m1/zeo/var /srv/zeo/var').output, /NOT SYNCING/);
    host.prepare(...forbidden.lines);
    assert.deepEqual(host.run('cmp /mnt/m1/zeo/var/Data.fs /srv/zeo/var/Data.fs').status, 0);
    host.prepare(
      'syncpozo off',
      'cd /srv/zeo/var && mv Data.fs aside && rm Data.fs.index && mv Data.fs.only-here-* Data.fs',
    );
    host.prepare('syncpozo promote /srv/zeo/var', 'syncpozo verify /srv/zeo/var');
    assert.ok(readFileSync(join(directory, 'srv', 'Data.fs')).equals(serving));
  });
});

/** The commands of a section, in their order. */
function commandsOf(heading: string): Block[] {
  const section = sectionOf(PAGE, heading);
  return blocksOf(PAGE).filter(({ language, lines }) => language === 'sh' && section.includes(lines[0] ?? ''));
}

test('the switchovers of way-back.md, there and back, lose nothing that was committed before each', async () => {
  const commands = commandsOf('Change the roles, with nothing lost');
  assert.equal(commands.length, 4);
  await withTempDir((directory) => {
    const host = new Host(directory);
    afterTakeover(host);
    host.prepare(`syncpozo rejoin --quiet --yes /mnt/m2/zeo/var /srv/zeo/var ${BACK}`);
    const read = (side: string): Buffer => readFileSync(join(directory, side, 'Data.fs'));
    let serving = 'm2';
    for (const [n, { lines, remark }] of commands.entries()) {
      const isPromotion = n % 2 === 0;
      const text = isPromotion ? `the last edit on ${serving}` : `the first edit on ${serving}`;
      host.commit(`${serving}/Data.fs`, text);
      const { status, output } = remark === 'on m2' ? host.runOnM2(lines.join('\n')) : host.run(lines.join('\n'));
      assert.equal(status, 0, output);
      if (isPromotion) assert.match(output, /nothing is lost: the master was checked/);
      if (isPromotion) serving = remark === 'on m2' ? 'm2' : 'srv';
      assert.ok(read('srv').equals(read('m2')), output);
      assert.ok(read('srv').includes(text), text);
    }
    assert.equal(serving, 'm2');
    const lost = readdirSync(join(directory, 'm2')).filter((name) => name.startsWith('lost-'));
    assert.deepEqual(lost, []);
  });
});

test('lost-content.py gets content out of what a rejoin has kept, into the side that serves', async () => {
  await withTempDir(async (directory) => {
    const host = new Host(directory);
    afterTakeover(host);
    host.prepare(`syncpozo rejoin --quiet --yes /mnt/m2/zeo/var /srv/zeo/var ${BACK}`);
    const name = readdirSync(join(directory, 'srv')).find((each) => /^lost-.*\.fs$/.test(each)) ?? '';
    const serving = join(directory, 'm2', 'Data.fs');
    const content = async (command: string, ...more: string[]): Promise<string> => {
      const program = inProject('scripts', 'lost-content.py');
      const args = [program, command, join(directory, 'srv', name), serving, ...more];
      return (await promisify(execFile)(venvProgram('python'), args, { timeout: 60_000 })).stdout;
    };
    const listed = await content('list');
    assert.match(listed, /0x1 .*PersistentMapping, 99 bytes, changed here and on the serving side/);
    assert.match(listed, /0x10000000004 ZODB\.blob\.Blob, 25 bytes, created here/);
    const into = ['--into', '/', '--yes', '--blobs', join(directory, 'm2-blobs')];
    await content('copy', '0x1', '--as', 'old-page', ...into);
    await content('copy', '10000000004', '--as', 'old-blob', ...into);
    host.prepare('syncpozo verify /mnt/m2/zeo/var', `syncpozo sync --quiet /mnt/m2/zeo/var /srv/zeo/var ${BACK}`);
    const { stdout } = await promisify(execFile)(venvProgram('python'), ['-c', READ_COPIES, serving, into[4] ?? '']);
    assert.equal(stdout, 'what nobody copied any more\nblob 4\nthe first edit after the takeover\n');
  });
});

const READ_COPIES = `
import sys, ZODB
from ZODB.FileStorage import FileStorage
db = ZODB.DB(FileStorage(sys.argv[1], read_only=True, blob_dir=sys.argv[2]))
root = db.open().root()
print(root['old-page']['text'])
with root['old-blob'].open() as blob:
    print(blob.read(6).decode())
print(root['page-1']['text'])
db.close()`;

const READ = `
import sys, ZEO
db = ZEO.DB(('127.0.0.1', int(sys.argv[1])), wait_timeout=20, blob_dir=sys.argv[2])
connection = db.open()
print(connection.root()['page-1']['text'])
with connection.get((1 << 40 | 4).to_bytes(8, 'big')).open() as blob:
    print(blob.read(6).decode())
db.close()`;

test('the whole old master of way-back.md is what a server with its zeo.conf serves', async () => {
  const conf = blocksOf(PAGE).find(({ lines }) => lines.includes('<demostorage 1>'));
  const restore = blocksOf(PAGE).find(({ lines }) => lines[0]?.startsWith('syncpozo restore '));
  assert.ok(conf && restore);
  await withTempDir(async (directory) => {
    const host = new Host(directory);
    afterTakeover(host);
    host.prepare(`syncpozo rejoin --quiet --yes /mnt/m2/zeo/var /srv/zeo/var ${BACK}`);
    const report = readdirSync(join(directory, 'srv')).find((name) => /^lost-.*\.json$/.test(name)) ?? '';
    const { fork } = JSON.parse(readFileSync(join(directory, 'srv', report), 'utf8'));
    const inDirectory = (text: string): string => text.replaceAll('/tmp/', `${directory}/`);
    const [command = ''] = restore.lines;
    host.prepare(inDirectory(command).replace(/--until \w+/, `--until ${fork.tid}`));
    const stem = join(directory, 'srv', report.replace('.json', ''));
    const port = await freePort();
    const path = join(directory, 'zeo.conf');
    const text = inDirectory(conf.lines.join('\n')).replaceAll(/\S*lost-[0-9a-f-]+(?=\.)/g, stem);
    writeFileSync(path, text.replace(':8199', `:${port}`));
    const server = new Started(join(directory, 'zeo.log'), venvProgram('runzeo'), ['-C', path]);
    try {
      const client = promisify(execFile)(venvProgram('python'), ['-c', READ, String(port), join(directory, 'cache')], {
        timeout: 60_000,
      });
      const { stdout } = await client.catch((error: unknown) => {
        throw new Error(`${error}\n${server.output}`);
      });
      assert.equal(stdout, 'what nobody copied any more\nblob 4\n');
    } finally {
      await server.end();
    }
    const kept = readFileSync(`${stem}.fs`);
    assert.equal(kept.subarray(0, 4).toString(), 'FS30');
  });
});
