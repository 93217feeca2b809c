import { mkdirSync, truncateSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { type Attack, type HostileScene, withAttacks } from '../support/hostile-tree.js';

const blobOf = ({ pair, id }: HostileScene) => pair.onMaster(id);
const layoutOf = ({ pair }: HostileScene) => join(pair.masterBlobs, '.layout');

/** In the blob's place, or on the way to it. */
const BLOBS: readonly Attack[] = [
  {
    name: 'a blob that is a link to a file outside',
    spoil: (scene) => scene.link(blobOf(scene), scene.secret),
    expected: { exit: 4, reason: /0x[0-9a-f]+\.blob is a symbolic link$/, hint: /nothing was read through it/ },
  },
  {
    name: 'a blob that is a link to another blob',
    spoil: (scene) => scene.link(blobOf(scene), scene.pair.onMaster(scene.first)),
    expected: { exit: 4, reason: /is a symbolic link$/ },
  },
  {
    name: 'a blob that is a link to nothing',
    spoil: (scene) => scene.link(blobOf(scene), join(scene.outside, 'nothing')),
    expected: { exit: 4, reason: /is a symbolic link$/ },
  },
  {
    name: 'a blob that is a directory',
    spoil: (scene) => scene.put(blobOf(scene), mkdirSync),
    expected: { exit: 4, reason: /\.blob is a directory$/ },
  },
  {
    name: 'a blob that is a pipe',
    spoil: (scene) => scene.pipe(blobOf(scene)),
    expected: { exit: 4, reason: /\.blob is a special file$/ },
  },
  {
    name: 'a blob that is a socket',
    spoil: (scene) => scene.socket(blobOf(scene)),
    expected: { exit: 4, reason: /\.blob is a special file$/ },
  },
  {
    name: 'a directory on the way that is a link out of the tree',
    spoil: (scene) => scene.link(dirname(blobOf(scene)), scene.outsideDirectory),
    expected: { exit: 4, reason: /is reached through a link, and leads to .*outside\/directory/ },
  },
  {
    name: 'a directory on the way that is a link inside of the tree',
    spoil: (scene) => {
      const elsewhere = join(scene.pair.masterBlobs, 'elsewhere');
      scene.put(elsewhere, mkdirSync);
      writeFileSync(join(elsewhere, basename(blobOf(scene))), 'not read');
      scene.link(dirname(blobOf(scene)), elsewhere);
    },
    expected: { exit: 4, reason: /is reached through a link, and leads to .*elsewhere/ },
  },
];

const TREES: readonly Attack[] = [
  {
    name: 'the layout of a cache',
    spoil: (scene) => scene.put(layoutOf(scene), (path) => writeFileSync(path, 'zeocache')),
    expected: { exit: 2, reason: /layout zeocache: it is the cache of a ZEO client/, hint: /blob-dir/ },
  },
  {
    name: 'a layout of garbage',
    spoil: (scene) => scene.put(layoutOf(scene), (path) => writeFileSync(path, 'gar\x1b[2J\0bage')),
    expected: {
      exit: 2,
      reason: /^[ -~]*\.layout is no layout of blobs: it says "gar[ -~]*bage"$/,
      hint: /bushy and lawn/,
    },
  },
  {
    name: 'a layout that is a directory',
    spoil: (scene) => scene.put(layoutOf(scene), mkdirSync),
    expected: { exit: 2, reason: /\.layout.* a directory/ },
  },
  {
    name: 'a layout of many bytes',
    spoil: (scene) =>
      scene.put(layoutOf(scene), (path) => {
        writeFileSync(path, 'bushy');
        truncateSync(path, 2 ** 25);
      }),
    expected: { exit: 2, reason: /\.layout.* 33554432 bytes/ },
  },
  {
    name: 'a layout that is a pipe',
    spoil: (scene) => scene.pipe(layoutOf(scene)),
    expected: { exit: 2, reason: /\.layout.* a special file/ },
  },
  {
    name: 'no blob directory',
    spoil: (scene) => scene.put(scene.pair.masterBlobs, () => {}),
    expected: { exit: 1, reason: /blob directory .*master-blobs does not exist$/, hint: /mounted/ },
  },
  {
    name: 'an empty blob directory, as where nothing is mounted',
    spoil: (scene) => scene.put(scene.pair.masterBlobs, mkdirSync),
    expected: {
      exit: 1,
      reason: /blob directory .*master-blobs is empty, and the master's transactions name blobs$/,
      hint: /mounted/,
    },
  },
  {
    name: 'a blob directory that is a file',
    spoil: (scene) => scene.put(scene.pair.masterBlobs, (path) => writeFileSync(path, 'bushy')),
    expected: { exit: 2, reason: /master-blobs is a file$/, hint: /name the directory of the blobs/ },
  },
  {
    name: 'a blob directory that is a link to nothing',
    spoil: (scene) => scene.link(scene.pair.masterBlobs, join(scene.outside, 'nothing')),
    expected: { exit: 1, reason: /blob directory .*master-blobs does not exist$/, hint: /mounted/ },
  },
  {
    name: 'a blob directory that leads in a circle',
    spoil: (scene) => scene.link(scene.pair.masterBlobs, scene.pair.masterBlobs),
    expected: { exit: 1, reason: /master-blobs.*ELOOP/ },
  },
];

describe("what the master's blob directory may hold", () => {
  it('is refused by name in a bushy layout, and nothing is written', (test) =>
    withAttacks('bushy', [...BLOBS, ...TREES], (name, check) => test.test(name, check)));

  it('is refused by name in a lawn, and nothing is written', (test) =>
    withAttacks('lawn', BLOBS, (name, check) => test.test(name, check)));
});
