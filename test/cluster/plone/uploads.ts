import { createHash } from 'node:crypto';
import { deflateSync } from 'node:zlib';
import { Random } from '../../support/random.js';
import { marker } from './visits.js';

/** A file that a visitor uploads, made from the write's id. */
export interface Upload {
  /** As plone.restapi wants it. */
  readonly field: Readonly<Record<string, string>>;
  readonly sha256: string;
}

const SMALLEST = 100;
const LARGEST = 1_500_000;

/** Some are larger than what Apache, waitress and Zope keep in memory. A name of an ordinary user: with blanks and a question mark. */
export function fileOf(id: number): Upload {
  const random = new Random(id);
  const bytes = Buffer.from(Array.from({ length: SMALLEST }, () => random.below(256)));
  const copies = 1 + random.below(random.below(4) === 0 ? LARGEST / SMALLEST : 1000);
  const data = Buffer.concat([Buffer.from(marker(id)), ...Array.from({ length: copies }, () => bytes)]);
  return upload(data, `what is ${marker(id)}? ü.bin`, 'application/octet-stream');
}

/** A real picture, which Plone makes smaller ones of. */
export function imageOf(id: number): Upload {
  const random = new Random(id);
  const size = 64 + random.below(600);
  const header = Buffer.alloc(13);
  header.writeUInt32BE(size, 0);
  header.writeUInt32BE(size, 4);
  // 8 bits, grey.
  header[8] = 8;
  const rows = Buffer.alloc(size * (size + 1));
  for (let at = 0; at < rows.length; at++) rows[at] = at % (size + 1) === 0 ? 0 : (at * (id % 251)) & 255;
  const text = Buffer.concat([Buffer.from('Comment\0'), Buffer.from(marker(id))]);
  const chunks = [chunk('IHDR', header), chunk('tEXt', text), chunk('IDAT', deflateSync(rows)), chunk('IEND', '')];
  const data = Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), ...chunks]);
  return upload(data, `${marker(id)}.png`, 'image/png');
}

function upload(data: Buffer, filename: string, type: string): Upload {
  return {
    field: { data: data.toString('base64'), encoding: 'base64', filename, 'content-type': type },
    sha256: createHash('sha256').update(data).digest('hex'),
  };
}

function chunk(type: string, content: Buffer | string): Buffer {
  const body = Buffer.concat([Buffer.from(type), Buffer.from(content)]);
  const out = Buffer.alloc(8);
  out.writeUInt32BE(body.length - 4, 0);
  out.writeUInt32BE(crc32(body), 4);
  return Buffer.concat([out.subarray(0, 4), body, out.subarray(4)]);
}

/** Of PNG; zlib of Node 20 has none. */
function crc32(bytes: Buffer): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  }
  return ~crc >>> 0;
}
