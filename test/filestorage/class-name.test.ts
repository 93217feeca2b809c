import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deflateSync } from 'node:zlib';
import { CLASS_PREFIX, classNameOf } from '../../src/filestorage/class-name.js';

const bytes = (text: string): Buffer => Buffer.from(text, 'latin1');

/** Records as ZODB and its predecessors write them: the class, or a tuple with it, then the state. */
const NAMED: Readonly<Record<string, Buffer>> = {
  'protocol 3, the class': bytes('\x80\x03csite.content\nDocument\nq\x00.\x80\x03}q\x01.'),
  'protocol 2, the class and arguments': bytes('\x80\x02(csite.content\nDocument\nq\x01NttQ.'),
  'protocol 1, without a header': bytes('(csite.content\nDocument\nq\x01Nt.}.'),
  'protocol 1, names in a tuple': bytes('((U\x0csite.contentq\x01U\x08Documentq\x02tq\x03Nt.}.'),
  'protocol 3, names in a tuple': bytes(
    '\x80\x03(X\x0c\x00\x00\x00site.contentq\x01X\x08\x00\x00\x00Documentq\x02\x86q\x03N\x86.',
  ),
  'protocol 4': bytes(
    '\x80\x04\x95\x1c\x00\x00\x00\x00\x00\x00\x00\x8c\x0csite.content\x94\x8c\x08Document\x94\x93\x94.',
  ),
  compressed: Buffer.concat([
    bytes('.z'),
    deflateSync(bytes(`\x80\x03csite.content\nDocument\nq\x00.${'x'.repeat(9000)}`)),
  ]),
};

for (const [name, record] of Object.entries(NAMED))
  test(`the class of a record is read: ${name}`, () => {
    assert.equal(classNameOf(record.subarray(0, CLASS_PREFIX)), 'site.content.Document');
  });

test('no class is read of other data, and none that is no name', () => {
  const others = [
    '',
    '.',
    '.z',
    '.e secret',
    '\x80',
    '\x80\x03',
    'c',
    'cmodule\n',
    'cmodule\nName',
    '\x80\x03N.',
    'GIF89a',
    '((U',
  ];
  for (const text of [
    ...others,
    'cmo\x1b[2J\nName\n',
    `c${'m'.repeat(300)}\nName\n`,
    'U\xffshort',
    'X\xff\xff\xff\xff',
  ])
    assert.equal(classNameOf(bytes(text)), undefined, JSON.stringify(text));
});

test('any beginning of a record, and any byte in it, leads to a name or to none', () => {
  for (const record of Object.values(NAMED)) {
    for (let length = 0; length <= record.length; length++) classNameOf(record.subarray(0, length));
    for (let at = 0; at < Math.min(record.length, 80); at++)
      for (const value of [0, 0x28, 0x55, 0x58, 0x63, 0x80, 0x8c, 0xff]) {
        const other = Buffer.from(record);
        other[at] = value;
        classNameOf(other);
      }
  }
});
