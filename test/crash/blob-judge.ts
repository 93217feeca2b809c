import { join } from 'node:path';
import type { CopyWay } from '../../src/blobs/copier.js';
import { xxh64 } from '../support/chunks.js';
import { datOf, imageAt } from './beside.js';
import { type Noted, notedIn } from './blob-claims.js';
import { type BlobSite, keyOf, placeOf } from './blob-site.js';
import { DATA } from './history.js';
import { BLOBS, datIn } from './image.js';
import type { Disk } from './model-disk.js';
import { type Shown, shownIn } from './visible.js';

/** What the judge knows about the blobs of a scenario. */
export interface BlobCase {
  readonly site: BlobSite;
  readonly way: CopyWay;
  /** Packed blobs are moved aside. */
  readonly keepPacked: boolean;
  /** Keys of the blobs that the slave had at the start. */
  readonly had: ReadonlySet<string>;
  /** Keys of those that it showed at the start and did not have: nobody has promised them yet. */
  readonly excused: ReadonlySet<string>;
  /** Keys of those that another program has copied, and which may be wrong as long as nothing claims them. */
  readonly doubtful: ReadonlySet<string>;
  /** Blobs that the run has copied may be left where nothing names them; see Scenario.leavesCopies. */
  readonly leavesCopies: boolean;
}

const MANIFESTS = ['Data.fs.blobs', 'Data.fs.new.blobs'];
const KEPT = /^Data\.fs\.(only-here|packed)-[0-9a-f]{16}(\.\d+)?$/;
const ASIDE = `${BLOBS}.old`;
const LAYOUT = '.layout';

/** What the `.dat` that counts claims about blobs. */
interface Claimed {
  readonly position: number;
  readonly noted: ReadonlyMap<string, Noted>;
}

/**
 * The first broken promise about blobs in a state: every blob that a visible transaction names is there and right; a name
 * that is a blob's leads to that blob; a directory of blobs has its layout; and no more is claimed than is there.
 */
export function blobProblem(of: BlobCase, disk: Disk): string | undefined {
  const there = blobsIn(of, disk);
  if (typeof there === 'string') return there;
  const claimed = claimIn(disk);
  if (typeof claimed === 'string') return claimed;
  return (
    layoutProblem(of, disk, claimed) ??
    shownProblem(of, there, claimed, blobRecords(of, disk)) ??
    (claimed && notedProblem(of, there, claimed)) ??
    keptProblem(of, disk, there) ??
    ownProblem(of, disk, there)
  );
}

/** The records of blobs that the slave shows. */
export function blobRecords({ site }: BlobCase, disk: Disk): Shown[] {
  const { records } = shownIn(imageAt(disk, DATA)?.bytes ?? new Uint8Array());
  return records.filter((record) => site.contents.has(keyOf(record)));
}

/** Keys of the blobs that files name which were kept aside. */
export function keptRecords({ site }: BlobCase, disk: Disk): Set<string> {
  const names = [...disk.names.keys()].filter((name) => KEPT.test(name));
  const keys = names.flatMap((name) => shownIn(imageAt(disk, name)?.bytes ?? new Uint8Array()).records.map(keyOf));
  return new Set(keys.filter((key) => site.contents.has(key)));
}

/** What a file that is kept aside names exists nowhere else. */
function ownProblem(of: BlobCase, disk: Disk, there: ReadonlySet<string>): string | undefined {
  const gone = [...keptRecords(of, disk)].find((key) => of.had.has(key) && !there.has(key));
  return gone && `blob ${gone} is gone, which a file that was kept aside names`;
}

/** Keys of the blobs whose files are there, in the state's tree or at another place. Every one has its own contents. */
export function blobsIn({ site, doubtful }: BlobCase, disk: Disk, root = BLOBS): Set<string> | string {
  const found = new Set<string>();
  const keys = new Map([...site.contents.keys()].map((key) => [join(root, placeOf(idOf(key), site.layout)), key]));
  for (const name of disk.names.keys()) {
    if (!name.startsWith(`${root}/`) || !name.endsWith('.blob')) continue;
    const key = keys.get(name);
    if (key === undefined) return `${name} is a blob that the master never had`;
    const bytes = imageAt(disk, name)?.bytes ?? new Uint8Array();
    if (Buffer.compare(bytes, site.contents.get(key) ?? new Uint8Array()) === 0) found.add(key);
    else if (!doubtful.has(key)) return `${name} has ${bytes.length} bytes, which are not the blob's`;
  }
  return found;
}

export function idOf(key: string): { readonly oid: bigint; readonly tid: bigint } {
  const [oid, tid] = key.split(' ');
  return { oid: BigInt(`0x${oid}`), tid: BigInt(`0x${tid}`) };
}

/** Without its layout, ZODB takes a directory that is not empty for a lawn, and says so in it. */
function layoutProblem({ site, doubtful }: BlobCase, disk: Disk, claimed: Claimed | undefined): string | undefined {
  if (doubtful.size > 0 && !claimed) return undefined;
  const paths = [...disk.names.keys(), ...(disk.directories?.keys() ?? [])];
  const used = paths.find((path) => path.startsWith(`${BLOBS}/`) && !path.startsWith(`${BLOBS}/.`));
  const layout = imageAt(disk, join(BLOBS, LAYOUT));
  if (layout === undefined) return used && `${used} is there, and no ${LAYOUT}`;
  const text = Buffer.from(layout.bytes).toString('latin1');
  return text === site.layout ? undefined : `${LAYOUT} has ${JSON.stringify(text)}`;
}

function shownProblem(
  { site, excused }: BlobCase,
  there: ReadonlySet<string>,
  claimed: Claimed | undefined,
  shown: readonly Shown[],
): string | undefined {
  for (const record of shown) {
    const key = keyOf(record);
    const isClaimed = claimed !== undefined && record.end <= claimed.position;
    if (isClaimed && !claimed.noted.has(key)) return `blob ${key} is claimed, and is not in the manifest`;
    const mayLack = site.lost.has(key) || excused.has(key);
    const isMissing = claimed?.noted.get(key) === undefined;
    if (isClaimed && isMissing && !mayLack) return `blob ${key} is recorded as missing, and the master has it`;
    if (!there.has(key) && !(mayLack && isMissing)) return `blob ${key} is shown, and its file is not there`;
  }
  return undefined;
}

function notedProblem({ site }: BlobCase, there: ReadonlySet<string>, { noted }: Claimed): string | undefined {
  for (const [key, entry] of noted) {
    const bytes = site.contents.get(key);
    if (!bytes) return `blob ${key} is claimed, and the master never had it`;
    if (entry && !there.has(key)) return `blob ${key} is claimed, and its file is not there`;
    if (entry && (entry.length !== bytes.length || entry.hash !== xxh64(bytes)))
      return `blob ${key} is claimed with ${entry.length} bytes, ${entry.hash}`;
  }
  return undefined;
}

function keptProblem(of: BlobCase, disk: Disk, there: ReadonlySet<string>): string | undefined {
  if (!of.keepPacked) return undefined;
  const aside = blobsIn(of, disk, ASIDE);
  if (typeof aside === 'string') return aside;
  const gone = [...of.had].find((key) => !there.has(key) && !aside.has(key));
  return gone && `blob ${gone} was to be kept, and is gone`;
}

/**
 * The claim of a `.dat` that describes the slave's file; undefined where there is none, or one about another directory; a
 * text where its manifest is not there.
 */
export function claimIn(disk: Disk): Claimed | string | undefined {
  const image = datOf(disk);
  const dat = image && datIn(image);
  if (!dat?.blobs || Number(dat.slaveInode) !== disk.names.get(DATA)) return undefined;
  const { length, hash, count, bytes, missing, directory } = dat.blobs;
  const problems: string[] = [];
  for (const name of MANIFESTS) {
    const manifest = imageAt(disk, name);
    const noted = manifest ? notedIn(manifest.bytes, length, hash) : 'it is not there';
    if (typeof noted === 'string') {
      problems.push(`${name}: ${noted}`);
      continue;
    }
    const copied = [...noted.values()].filter((entry) => entry !== undefined);
    const sum = copied.reduce((total, entry) => total + entry.length, 0);
    const is = [copied.length, sum, noted.size - copied.length];
    if (is.join() === [count, bytes, missing].join())
      return directory === BLOBS ? { position: dat.claim.position, noted } : undefined;
    problems.push(`${name}: count, bytes and missing are ${is.join()}, claimed are ${count},${bytes},${missing}`);
  }
  return `the .dat claims blobs by a manifest that is not there: ${problems.join('; ')}`;
}
