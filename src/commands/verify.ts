import type { OnBlobs } from '../blobs/settings.js';
import { IndexCheck } from '../index/check.js';
import { factsBehindPath, realPath } from '../io/facts.js';
import { IoFault } from '../io/fault.js';
import { isOnRemoteMount } from '../io/mount.js';
import { DEFAULT_CHUNK_BYTES } from '../pipeline/chunk-table.js';
import { Exchanged } from '../pipeline/copy.js';
import { Master } from '../pipeline/master.js';
import { observeMaster } from '../pipeline/observe.js';
import { pause, type ReadDeadline } from '../pipeline/read-deadline.js';
import { Window } from '../pipeline/window.js';
import { findSide } from '../round/find-master.js';
import { workersOf } from '../round/workers.js';
import type { BlobsClaim } from '../standby/blobs-claim.js';
import { type DatFile, readDatFile } from '../standby/dat-file.js';
import { fileOf, nameInDirectory, PathMistake } from '../standby/paths.js';
import { roleOf } from '../standby/role-of.js';
import type { BlobFindings } from '../verify/blob-check.js';
import { InlineInspector, type Inspector, type OnPosition } from '../verify/inspect-file.js';
import { NearFile } from '../verify/near-file.js';
import { type Findings, inspectAll, problemAt } from '../verify/verify.js';
import { type Compared, type VerifyResult, verifyResult } from './verify-result.js';

export interface VerifyOptions {
  /** Data directory, or the path of the file itself. */
  readonly slave: string;
  readonly against?: string;
  /** Name of the file in a directory; for the default see nameInDirectory. */
  readonly file?: string | undefined;
  readonly workers?: number;
  readonly pieceBytes?: number;
  /** false: structure and checksums only. */
  readonly pointers?: boolean;
  /** Its blob directory; undefined: the one that its `.dat` names, if it does; false: no blobs are checked. */
  readonly blobs?: string | false | undefined;
  readonly onBlobs?: OnBlobs;
  readonly deadline: ReadDeadline;
  readonly onPosition?: OnPosition;
}

/** What the file shows, and its blob directory. */
interface Inspected {
  readonly findings: Findings;
  readonly blobs: BlobFindings | undefined;
}

const WINDOW_BYTES = 1 << 20;
/**
 * Below this number of pieces, starting workers takes longer than they save. It is higher where this thread can read in
 * the meantime.
 */
const POOL_FROM_PIECES = 8;
const POOL_FROM_NEAR_PIECES = 16;
const CHECKS = 4;
const CHECK_PAUSE_MS = 250;

/** Checks every byte of a file, and compares it with its master if one is named. Changes nothing. */
export async function runVerify(options: VerifyOptions): Promise<VerifyResult> {
  const began = performance.now();
  const { path, master } = await findFiles(options);
  const window = new Window(WINDOW_BYTES);
  const { findings, blobs } = await inspectUntilStable(path, window, options);
  const against = master === undefined ? undefined : await compareWith(path, findings, master, window, options);
  return verifyResult({ path, findings, blobs, master, against }, Math.round(performance.now() - began) / 1000);
}

async function findFiles({ slave, against, file, deadline }: VerifyOptions) {
  const ours = await findSide(slave, file, deadline);
  const theirs = against === undefined ? undefined : await findSide(against, file, deadline);
  const name = nameInDirectory(file, ours, theirs);
  return { path: fileOf(ours, name), master: theirs && fileOf(theirs, name) };
}

/**
 * Repeats an inspection that found problems while the file keeps changing: a sync replaces the slave, a transaction in
 * flight is aborted and overwritten, a network file system returns stale pages. One inspection without problems is
 * enough.
 */
async function inspectUntilStable(path: string, window: Window, options: VerifyOptions): Promise<Inspected> {
  for (let probe = 1; ; probe++) {
    let exchanged: Exchanged | undefined;
    const { file, datFile } = await openBoth(path, options.deadline);
    const { pieceBytes = DEFAULT_CHUNK_BYTES, pointers = true } = options;
    const indexCheck = pointers ? await IndexCheck.open(`${path}.index`, options.deadline) : undefined;
    const inspector = await inspectorFor(file, window, options);
    try {
      const role = roleOf({ dat: `${path}.dat`, role: `${path}.role` }, datFile);
      const serves = 'facts' in role && role.facts.role === 'master';
      const findings = await inspectAll(file, datFile, {
        inspector,
        window,
        pieceBytes,
        indexCheck,
        pointers,
        serves,
        checksBlobs: blobDirectoryOf(datFile, file.facts.inode, options.blobs) !== undefined,
      });
      const blobs = await checkBlobsOf(path, findings, datFile, file.facts.inode, options);
      const problems = findings.problems.count + (blobs?.missing ?? 0) + (blobs?.wrong ?? 0);
      const stable = problems === 0 || (await isUnchanged(file, datFile, options.deadline));
      if ((stable && !(probe === 1 && problems > 0 && isOnRemoteMount(path))) || probe === CHECKS)
        return { findings, blobs };
    } catch (error) {
      if (!(error instanceof Exchanged)) throw error;
      exchanged = error;
    } finally {
      await inspector.close();
      indexCheck?.close();
      file.close();
    }
    if (exchanged && probe === CHECKS) throw new IoFault('read', path, 'ESTALE', exchanged.message);
    await pause(CHECK_PAUSE_MS);
  }
}

function blobsClaimOf(datFile: DatFile, inode: string): BlobsClaim | undefined {
  return 'dat' in datFile && datFile.dat.slaveInode === inode ? datFile.dat.blobs : undefined;
}

/** The directory to check; undefined where none is known, or none is asked for. */
function blobDirectoryOf(datFile: DatFile, inode: string, blobs: string | false | undefined): string | undefined {
  const directory = blobs ?? blobsClaimOf(datFile, inode)?.directory;
  return directory === false ? undefined : directory;
}

/** The blobs of a file against their directory; undefined where none is known, or none is asked for. */
async function checkBlobsOf(
  path: string,
  findings: Findings,
  datFile: DatFile,
  inode: string,
  { blobs, deadline, onBlobs = () => {} }: VerifyOptions,
): Promise<BlobFindings | undefined> {
  const claim = blobsClaimOf(datFile, inode);
  const directory = blobDirectoryOf(datFile, inode, blobs);
  if (directory === undefined) return undefined;
  const [{ BlobTree }, { claimedManifest }, { checkBlobs }] = await Promise.all([
    import('../blobs/blob-tree.js'),
    import('../blobs/manifest-file.js'),
    import('../verify/blob-check.js'),
  ]);
  const tree = await BlobTree.open(directory, deadline);
  const manifest = claim && claimedManifest(`${path}.blobs`, claim);
  if (claim && !manifest) {
    const message = `${path}.blobs is not the list of blobs that the .dat names, or has changed`;
    findings.problems.add(problemAt(0, 'dat', message, 'unnoticed'));
  }
  return checkBlobs({ needed: findings.blobs, tree, manifest, deadline, onBlob: onBlobs });
}

/** Opens the file and reads its `.dat` in a consistent state: a rebuild replaces first one and then the other. */
async function openBoth(path: string, deadline: ReadDeadline): Promise<{ file: Master; datFile: DatFile }> {
  for (let probe = 1; ; probe++) {
    const file = await Master.open(path, deadline);
    if (!file) throw new PathMistake(`${path} does not exist`, 'name a Data.fs, or the directory that holds one');
    if (file.facts.kind !== 'file') {
      file.close();
      throw new PathMistake(`${path} is a ${file.facts.kind}, not a Data.fs`, 'name a Data.fs, or its directory');
    }
    const datFile = readDatFile({ dat: `${path}.dat` });
    const { inode, size } = file.facts;
    const fits = !('dat' in datFile) || (datFile.dat.slaveInode === inode && datFile.dat.claim.position <= size);
    if ((fits && (await file.isStillThere())) || probe === CHECKS) return { file, datFile };
    file.close();
    await pause(CHECK_PAUSE_MS);
  }
}

async function isUnchanged(file: Master, datFile: DatFile, deadline: ReadDeadline): Promise<boolean> {
  const now = await deadline.wait(factsBehindPath(file.path), 'stat', file.path);
  const { device, inode, size, mtime } = file.facts;
  if (!now || now.device !== device || now.inode !== inode || now.size !== size || now.mtime !== mtime) return false;
  return JSON.stringify(readDatFile({ dat: `${file.path}.dat` }), plain) === JSON.stringify(datFile, plain);
}

function plain(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value;
}

async function inspectorFor(file: Master, window: Window, options: VerifyOptions): Promise<Inspector> {
  const { deadline, pieceBytes = DEFAULT_CHUNK_BYTES, onPosition = () => {} } = options;
  const near = isNear(file.path);
  const workers = workersOf(options.workers, near ? 1 : 0);
  const poolFromBytes = (near ? POOL_FROM_NEAR_PIECES : POOL_FROM_PIECES) * pieceBytes;
  if (workers === 0 || file.size < poolFromBytes) {
    return new InlineInspector(window, deadline, onPosition, near);
  }
  const { PoolInspector } = await import('../verify/inspect-pool.js');
  return new PoolInspector(workers, window, deadline, onPosition, near);
}

/** Whether a path leads to a local disk. Resolves symbolic links, which the mount table does not know. */
function isNear(path: string): boolean {
  return !isOnRemoteMount(realPath(path) ?? path);
}

/** The comparison; or, as a string, why there is none. */
async function compareWith(
  path: string,
  findings: Findings,
  masterPath: string,
  window: Window,
  { deadline, pieceBytes = DEFAULT_CHUNK_BYTES }: VerifyOptions,
): Promise<Compared> {
  const observed = await observeMaster(masterPath, deadline, undefined);
  if (!('master' in observed)) return { problem: observed.state.reason, unfit: observed.state.state === 'unfit' };
  const { master } = observed;
  try {
    const here = await Master.open(path, deadline);
    if (!here) throw new Exchanged(path);
    const near = isNear(path) ? NearFile.open(here, deadline) : undefined;
    try {
      const { findAgainst } = await import('../lineage/against.js');
      const { committedEnd, problems } = findings;
      const windows = [window, new Window(WINDOW_BYTES)] as const;
      const datFile = readDatFile({ dat: `${path}.dat` });
      const known = 'dat' in datFile && datFile.dat.slaveInode === here.facts.inode ? datFile.dat.chunks : [];
      const sound = problems.count === 0;
      const file = near ?? here;
      return await findAgainst({
        file,
        end: committedEnd,
        sound,
        chunks: known,
        master,
        chunkBytes: pieceBytes,
        deadline,
        windows,
      });
    } finally {
      await near?.close();
      here.close();
    }
  } finally {
    master.close();
  }
}
