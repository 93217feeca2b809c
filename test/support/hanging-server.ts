import { execFileSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  openSync,
  read,
  readFileSync,
  readSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';

/**
 * The fault model: a mount whose server has died. It is a file system with one file, `Data.fs`, through the kernel's own FUSE,
 * whose content is read from SOURCE. While CONTROL exists, a read that ends beyond the position in it is never answered: the
 * reader stays in the kernel, beyond SIGKILL, until this process ends or CONTROL is removed. CONTROL.held exists once such a
 * read has been accepted, and has a byte for each; before that the kernel lets its reader end.
 *
 * Usage: hanging-server.js MOUNT_POINT SOURCE CONTROL; prints `mounted`. After linux/fuse.h, protocol 7.31.
 */
const [mountPoint = '', source = '', control = ''] = process.argv.slice(2);

const LOOKUP = 1;
const FORGET = 2;
const GETATTR = 3;
const OPEN = 14;
const READ = 15;
const RELEASE = 18;
const FLUSH = 25;
const INIT = 26;
const OPENDIR = 27;
const RELEASEDIR = 29;
const INTERRUPT = 36;
const BATCH_FORGET = 42;
const NO_SUCH_FILE = -2;
const NOT_IMPLEMENTED = -38;

const HEADER_IN = 40;
const HEADER_OUT = 16;
const ATTRIBUTES = 88;
const ROOT = 1n;
const FILE = 2n;
const DIRECTORY_MODE = 0o40755;
const FILE_MODE = 0o100644;
const DIRECT_IO = 1;
const LARGEST_REQUEST = 1 << 20;

const device = openSync('/dev/fuse', 'r+');
const options = 'fd=3,rootmode=40000,user_id=0,group_id=0,allow_other';
execFileSync('mount', ['-i', '-t', 'fuse', '-o', options, 'hanging', mountPoint], {
  stdio: ['ignore', 'inherit', 'inherit', device],
});

const request = Buffer.alloc(LARGEST_REQUEST);
const held: (typeof request)[] = [];
const RELEASE_CHECK_MS = 20;

function serve(): void {
  read(device, request, 0, request.length, null, (error, length) => {
    if (error || length < HEADER_IN) return closeSync(device);
    answer();
    serve();
  });
}

function answer(): void {
  const opcode = request.readUInt32LE(4);
  const node = request.readBigUInt64LE(16);
  switch (opcode) {
    case INIT:
      return reply(initialised());
    case LOOKUP: {
      const name = request.subarray(HEADER_IN, request.indexOf(0, HEADER_IN)).toString();
      return name === 'Data.fs' ? reply(entry()) : reply(Buffer.alloc(0), NO_SUCH_FILE);
    }
    case GETATTR: {
      const out = Buffer.alloc(16 + ATTRIBUTES);
      attributes(node).copy(out, 16);
      return reply(out);
    }
    case OPEN:
    case OPENDIR: {
      const out = Buffer.alloc(16);
      out.writeUInt32LE(DIRECT_IO, 8);
      return reply(out);
    }
    case READ:
      return readFile();
    case RELEASE:
    case RELEASEDIR:
    case FLUSH:
      return reply(Buffer.alloc(0));
    case FORGET:
    case BATCH_FORGET:
    case INTERRUPT:
      return;
    default:
      return reply(Buffer.alloc(0), NOT_IMPLEMENTED);
  }
}

function reply(body: Buffer, error = 0, to = request): void {
  const out = Buffer.alloc(HEADER_OUT + body.length);
  out.writeUInt32LE(out.length, 0);
  out.writeInt32LE(error, 4);
  to.copy(out, 8, 8, 16);
  body.copy(out, HEADER_OUT);
  writeSync(device, out);
}

function initialised(): Buffer {
  const out = Buffer.alloc(64);
  out.writeUInt32LE(7, 0);
  out.writeUInt32LE(31, 4);
  out.writeUInt32LE(LARGEST_REQUEST / 2, 20);
  return out;
}

function entry(): Buffer {
  const out = Buffer.alloc(40 + ATTRIBUTES);
  out.writeBigUInt64LE(FILE, 0);
  attributes(FILE).copy(out, 40);
  return out;
}

function attributes(node: bigint): Buffer {
  const { size, mtimeMs } = statSync(source);
  const out = Buffer.alloc(ATTRIBUTES);
  out.writeBigUInt64LE(node, 0);
  if (node !== ROOT) out.writeBigUInt64LE(BigInt(size), 8);
  out.writeBigUInt64LE(BigInt(Math.floor(mtimeMs / 1000)), 32);
  out.writeUInt32LE(node === ROOT ? DIRECTORY_MODE : FILE_MODE, 60);
  out.writeUInt32LE(1, 64);
  out.writeUInt32LE(4096, 80);
  return out;
}

function readFile(): void {
  const position = Number(request.readBigUInt64LE(HEADER_IN + 8));
  const length = request.readUInt32LE(HEADER_IN + 16);
  if (existsSync(control) && position + length > Number(readFileSync(control, 'utf8'))) {
    held.push(Buffer.from(request.subarray(0, HEADER_IN + 24)));
    return writeFileSync(`${control}.held`, 'x'.repeat(held.length));
  }
  replyWithFile(position, length, request);
}

function replyWithFile(position: number, length: number, to: typeof request): void {
  const piece = Buffer.alloc(length);
  const file = openSync(source, 'r');
  const count = readSync(file, piece, 0, length, position);
  closeSync(file);
  reply(piece.subarray(0, count), 0, to);
}

function release(): void {
  if (held.length === 0 || existsSync(control)) return;
  for (const each of held.splice(0)) {
    replyWithFile(Number(each.readBigUInt64LE(HEADER_IN + 8)), each.readUInt32LE(HEADER_IN + 16), each);
  }
}

process.stdout.write('mounted\n');
setInterval(release, RELEASE_CHECK_MS).unref();
serve();
