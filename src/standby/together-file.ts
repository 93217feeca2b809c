import { readTransactionHeader, STATUS_IN_FLIGHT, TRANSACTION_HEADER_LENGTH } from '../filestorage/layout.js';
import { formatTid, parseTid } from '../filestorage/tid.js';
import { checksum } from '../io/checksum.js';
import { IoFault } from '../io/fault.js';
import { OpenFile } from '../io/open-file.js';
import { ownTemporaryOf, readSmallText, replaceText } from '../io/replace.js';
import { readDatOf } from './dat-file.js';
import type { SlavePaths } from './paths.js';
import { readRoleFile } from './role-file.js';
import { textOfQuoted } from './strict-lines.js';

/**
 * `Data.fs.together`: the moment that the slaves of a group were last brought to. Text, the same beside each of them.
 *
 * ```
 * syncpozo together 1
 * moment TIME
 * member TID "PATH"             for each slave: its file, and its last transaction at that moment
 * end CHECKSUM                  XXH64 of all above
 * ```
 *
 * It is written after all slaves show the moment, and is not durable. It is a witness only: whether the slaves are
 * together is read off the slaves themselves. So an old one, or none, never says that they are together when they are
 * not.
 */
export interface CommonRecord {
  /** Milliseconds since the epoch. */
  readonly moment: number;
  readonly members: readonly { readonly path: string; readonly tid: bigint }[];
}

/** Whether a slave and the others of its group show one moment. */
export type Togetherness =
  /** No group is known of this slave. */
  | { readonly kind: 'alone' }
  | { readonly kind: 'unknown'; readonly problem: string }
  | {
      readonly kind: 'together' | 'apart';
      /** Milliseconds since the epoch. */
      readonly moment: number;
      readonly members: readonly MemberNow[];
    };

/** The last transaction of a slave at the moment, and now. After a promotion `now` is the one that it was promoted with. */
export interface MemberNow {
  readonly path: string;
  readonly atMoment: bigint;
  /** undefined: it is missing, or has no usable `.dat`. */
  readonly now: bigint | undefined;
}

const LARGEST = 1 << 20;
const FORM =
  /^syncpozo together 1\nmoment (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)\n((?:member [0-9a-f]{16} ".*"\n)+)$/;
const MEMBER = /^member ([0-9a-f]{16}) (".*")$/;

export function formatTogether({ moment, members }: CommonRecord): string {
  const lines = members.map(({ path, tid }) => `member ${formatTid(tid)} ${JSON.stringify(path)}`);
  const body = `syncpozo together 1\nmoment ${new Date(moment).toISOString()}\n${lines.join('\n')}\n`;
  return `${body}end ${checksum(body)}\n`;
}

/** Parses a record. Total: undefined for anything that is not exactly what formatTogether writes. */
export function parseTogether(text: string): CommonRecord | undefined {
  const [time = '', lines = ''] = FORM.exec(text.replace(/end [0-9a-f]{16}\n$/, ''))?.slice(1) ?? [];
  const moment = Date.parse(time);
  const members = lines.split('\n').flatMap((line) => {
    const [digits = '', quoted = ''] = MEMBER.exec(line)?.slice(1) ?? [];
    const [tid, path] = [parseTid(digits), textOfQuoted(quoted)];
    return tid === undefined || path === undefined ? [] : [{ path, tid }];
  });
  if (Number.isNaN(moment)) return undefined;
  const record = { moment, members };
  return formatTogether(record) === text ? record : undefined;
}

/** Throws an IoFault on failure. */
export function writeTogether(paths: SlavePaths, record: CommonRecord): void {
  const { uid, gid } = paths.directoryFacts;
  replaceText(paths.together, formatTogether(record), { mode: 0o644, uid, gid }, ownTemporaryOf(paths.together));
}

/** Compares the record beside a slave with the ends of all slaves of its group. Reads files beside slaves only. */
export function togethernessOf(paths: Pick<SlavePaths, 'together'>): Togetherness {
  try {
    const text = readSmallText(paths.together, LARGEST);
    if (text === undefined) return { kind: 'alone' };
    const record = parseTogether(text);
    if (!record) return { kind: 'unknown', problem: `${paths.together} is not a record as syncpozo writes it` };
    const members = record.members.map(({ path, tid }) => ({ path, atMoment: tid, now: newestTid(path) }));
    const kind = members.every(({ atMoment, now }) => atMoment === now) ? 'together' : 'apart';
    return { kind, moment: record.moment, members };
  } catch (error) {
    if (error instanceof IoFault) return { kind: 'unknown', problem: error.message };
    throw error;
  }
}

/** The claimed tid, or the one that a server would show behind the claim: of a batch that a killed run could not claim. */
function newestTid(path: string): bigint | undefined {
  const role = readRoleFile({ role: `${path}.role` });
  if ('facts' in role && role.facts.promotion) return role.facts.promotion.tid;
  const file = OpenFile.openHereIfThere(path);
  if (!file) return undefined;
  try {
    const dat = readDatOf({ dat: `${path}.dat`, freshDat: `${path}.new.dat` }, file.facts().inode);
    if (!('dat' in dat) || dat.dat.slaveInode !== file.facts().inode) return undefined;
    const { position, tid } = dat.dat.claim;
    const bytes = new Uint8Array(TRANSACTION_HEADER_LENGTH);
    if (file.read(bytes, bytes.length, position) < bytes.length) return tid;
    const behind = readTransactionHeader(new DataView(bytes.buffer), 0);
    return behind.status === STATUS_IN_FLIGHT ? tid : behind.tid;
  } finally {
    file.close();
  }
}
