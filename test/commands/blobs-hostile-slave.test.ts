import assert from 'node:assert/strict';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { withBlobPair } from '../support/blob-pair.js';
import { assertEnd } from '../support/cli.js';
import { type Attack, type HostileScene, withAttacks } from '../support/hostile-tree.js';

const blobOf = ({ pair, id }: HostileScene) => pair.onSlave(id);
const layoutOf = ({ pair }: HostileScene) => join(pair.slaveBlobs, '.layout');
const MOVE = /find out who put it there, and move it out/;

const BLOBS: readonly Attack[] = [
  {
    name: "a link to a file outside in the blob's place",
    spoil: (scene) => scene.link(blobOf(scene), scene.secret),
    expected: { exit: 4, reason: /\.blob is a symbolic link$/, hint: MOVE },
  },
  {
    name: "a link to the right blob in the blob's place",
    spoil: (scene) => scene.link(blobOf(scene), scene.pair.onMaster(scene.id)),
    expected: { exit: 4, reason: /\.blob is a symbolic link$/ },
  },
  {
    name: "a directory in the blob's place",
    spoil: (scene) => scene.put(blobOf(scene), mkdirSync),
    expected: { exit: 4, reason: /\.blob is a directory$/ },
  },
  {
    name: "a pipe in the blob's place",
    spoil: (scene) => scene.pipe(blobOf(scene)),
    expected: { exit: 4, reason: /\.blob is a special file$/ },
  },
  {
    name: 'a directory on the way that is a link out of the tree',
    spoil: (scene) => scene.link(dirname(blobOf(scene)), scene.outsideDirectory),
    expected: { exit: 4, reason: /is a symbolic link, where a directory of blobs should be$/, hint: MOVE },
  },
  {
    name: 'a directory on the way that is a file',
    spoil: (scene) => scene.put(dirname(blobOf(scene)), (path) => writeFileSync(path, '')),
    expected: { exit: 4, reason: /is a file, where a directory of blobs should be$/ },
  },
  {
    name: 'a directory with the name of an unfinished copy',
    spoil: (scene) => scene.put(`${blobOf(scene)}.syncpozo-tmp`, mkdirSync),
    expected: { exit: 4, reason: /\.syncpozo-tmp is a directory$/, hint: MOVE },
  },
];

const TREES: readonly Attack[] = [
  {
    name: 'a first directory on the way that is a link out of the tree',
    spoil: (scene) => scene.link(join(scene.pair.slaveBlobs, '0x00'), scene.outside),
    expected: { exit: 4, reason: /slave-blobs\/0x00 is a symbolic link/ },
  },
  {
    name: 'no blob directory',
    spoil: (scene) => scene.put(scene.pair.slaveBlobs, () => {}),
    expected: { exit: 2, reason: /slave's blob directory .* does not exist$/, hint: /mounted/ },
  },
  {
    name: 'a blob directory that is a link to nothing',
    spoil: (scene) => scene.link(scene.pair.slaveBlobs, join(scene.outside, 'nothing')),
    expected: { exit: 2, reason: /slave's blob directory .* does not exist$/ },
  },
  {
    name: 'a blob directory that is a file',
    spoil: (scene) => scene.put(scene.pair.slaveBlobs, (path) => writeFileSync(path, '')),
    expected: { exit: 2, reason: /slave's blob directory .* is a file$/, hint: /name another directory/ },
  },
  {
    name: "the master's blob directory, by a link",
    spoil: (scene) => scene.link(scene.pair.slaveBlobs, scene.pair.masterBlobs),
    expected: { exit: 2, reason: /blob directories of MASTER and SLAVE are the same/ },
  },
  {
    name: 'a blob directory that was emptied',
    spoil: (scene) => scene.put(scene.pair.slaveBlobs, mkdirSync),
    expected: { exit: 2, reason: /slave-blobs has no blob, and 1 were copied into it/, hint: /mounted/ },
  },
  {
    name: 'the other layout',
    spoil: (scene) => scene.put(layoutOf(scene), (path) => writeFileSync(path, 'lawn\n')),
    expected: { exit: 2, reason: /different layouts: bushy in .*, lawn in/ },
  },
  {
    name: 'the layout of a cache',
    spoil: (scene) => scene.put(layoutOf(scene), (path) => writeFileSync(path, 'zeocache')),
    expected: { exit: 2, reason: /slave-blobs has the layout zeocache/ },
  },
  {
    name: 'a layout of garbage',
    spoil: (scene) => scene.put(layoutOf(scene), (path) => writeFileSync(path, '\x1b[2J')),
    expected: { exit: 2, reason: /\.layout is no layout of blobs: it says "[ -~]*"$/ },
  },
  {
    name: 'a layout that is a directory',
    spoil: (scene) => scene.put(layoutOf(scene), mkdirSync),
    expected: { exit: 2, reason: /slave-blobs\/\.layout is no layout of blobs: it is a directory$/ },
  },
  {
    name: 'a layout of many bytes',
    spoil: (scene) =>
      scene.put(layoutOf(scene), (path) => {
        writeFileSync(path, 'bushy');
        truncateSync(path, 2 ** 25);
      }),
    expected: { exit: 2, reason: /\.layout is no layout of blobs: it has 33554432 bytes$/ },
  },
  {
    name: 'a layout that is a link to the right one',
    spoil: (scene) => scene.link(layoutOf(scene), join(scene.pair.masterBlobs, '.layout')),
    expected: { exit: 2, reason: /\.layout is no layout of blobs: it is a symbolic link$/ },
  },
];

describe("what the slave's blob directory may hold", () => {
  it('is refused by name in a bushy layout, and nothing is written', (test) =>
    withAttacks('bushy', [...BLOBS, ...TREES], (name, check) => test.test(name, check)));

  it('is refused by name in a lawn, and nothing is written', (test) =>
    withAttacks('lawn', BLOBS, (name, check) => test.test(name, check)));

  it('must not be the same directory', () =>
    withBlobPair((pair) => {
      pair.commitBlobs('one');
      const link = join(pair.directory, 'link');
      symlinkSync(pair.masterBlobs, link);
      const { masterBlobs } = pair;
      for (const blobs of [`${masterBlobs}:${masterBlobs}`, `${link}:${masterBlobs}/`, `${masterBlobs}/.:${link}`]) {
        const run = pair.unchanged(() => pair.sync('--blobs', blobs));
        assertEnd(run, { exit: 2, reason: /the same/, hint: /MASTER_DIR:SLAVE_DIR/ });
      }
    }));
});

describe('the remains of a copy that was killed', () => {
  it('are replaced; behind a link nothing is touched', () =>
    withBlobPair((pair) => {
      const outside = join(pair.directory, 'outside');
      writeFileSync(outside, 'untouched');
      const ids = pair.commitBlobs('one', 'two');
      const [file, link] = ids.map((id) => `${pair.onSlave(id)}.syncpozo-tmp`) as [string, string];
      mkdirSync(dirname(file), { recursive: true });
      mkdirSync(dirname(link), { recursive: true });
      copyFileSync(pair.onMaster(ids[1]!), file);
      chmodSync(file, 0);
      symlinkSync(outside, link);
      writeFileSync(join(pair.slaveBlobs, '.layout'), 'bushy');
      assertEnd(pair.syncBlobs(), { exit: 0 });
      pair.assertSameBlobs(ids);
      for (const id of ids) assert.ok(lstatSync(pair.onSlave(id)).isFile());
      for (const path of [file, link]) assert.equal(existsSync(path), false);
      assert.equal(readFileSync(outside, 'utf8'), 'untouched');
    }));
});
