import assert from 'node:assert/strict';
import { appendFileSync, cpSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { scratch } from '../scripts/shell.js';
import { commitBlob } from '../scripts/zeo.js';
import { difference } from './support/same-bytes.js';

/** The oracle of every scene must see what is not the same: made by hand, beside what a ZEO leaves that ends in mid-commit. */

interface Two {
  readonly serving: string;
  readonly slave: string;
  /** The files of the blobs, from the directory of each instance. */
  readonly blobs: readonly string[];
}

async function two(t: TestContext): Promise<Two> {
  const dir = scratch(t);
  const [serving, slave] = [join(dir, 'm1'), join(dir, 'm2')];
  for (const name of ['var', 'blobs']) mkdirSync(join(serving, name), { recursive: true });
  for (const name of ['a', 'b']) await commitBlob(join(serving, 'var', 'Data.fs'), join(serving, 'blobs'), name, name);
  cpSync(serving, slave, { recursive: true });
  const files = readdirSync(join(serving, 'blobs'), { recursive: true, encoding: 'utf8' });
  const blobs = files.filter((name) => name.endsWith('.blob')).map((name) => join('blobs', name));
  assert.equal(blobs.length, 2);
  return { serving, slave, blobs };
}

test('the same bytes are the same; an empty directory is nothing', async (t) => {
  const { serving, slave } = await two(t);
  mkdirSync(join(slave, 'blobs', '0x01'));
  assert.deepEqual(difference(serving, slave), { different: [], aborted: [] });
});

test('a blob that is missing, or has other bytes, is seen on either side', async (t) => {
  const { serving, slave, blobs } = await two(t);
  const [a = '', b = ''] = blobs;
  appendFileSync(join(slave, a), 'x');
  rmSync(join(serving, b));
  const { different } = difference(serving, slave);
  assert.deepEqual(new Set(different.map((name) => join('blobs', name))), new Set(blobs));
});

test('a byte of Data.fs is seen', async (t) => {
  const { serving, slave } = await two(t);
  appendFileSync(join(slave, 'var', 'Data.fs'), 'x');
  assert.match(difference(serving, slave).different.join(), /^Data\.fs, of \d+ bytes and \d+ bytes$/);
});

test('a file of a transaction that is nowhere was cut off; one of a transaction that is there must be on both sides', async (t) => {
  const { serving, slave, blobs } = await two(t);
  const [a = '', b = ''] = blobs;
  const aborted = join(dirname(a), '0x0000000000000001.blob');
  writeFileSync(join(slave, aborted), 'x');
  assert.deepEqual(difference(serving, slave), { different: [], aborted: [aborted.slice('blobs/'.length)] });
  const other = join(dirname(a), basename(b));
  writeFileSync(join(slave, other), 'x');
  assert.deepEqual(difference(serving, slave).different, [other.slice('blobs/'.length)]);
});
