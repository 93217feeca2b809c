import { readFileSync, writeFileSync } from 'node:fs';
import { formatDat, parseDat } from '../../../src/standby/dat.js';
import type { Site } from '../../support/site.js';
import type { BlobSite } from '../blob-site.js';
import { type Scenario, type Stage, write } from '../scenario.js';

export const SHORT = 'the contents of a blob';
const LONG = 'contents that take two sectors '.repeat(25);
export const [FIRST, SECOND, THIRD] = [0x10n, 0x11n, 0x1_0010n];

/** A site with a page and a blob in two versions. */
export function siteWithBlobs(stage: Stage, blobs: BlobSite): Site {
  const site = stage.site(1);
  blobs.commit(site, new Map([[FIRST, SHORT]]));
  blobs.commit(site, new Map([[FIRST, `${SHORT}, edited`]]));
  return site;
}

async function inStepWithoutBlobs(stage: Stage): Promise<void> {
  const { blobs } = stage;
  stage.blobs = undefined;
  await stage.inStep();
  stage.blobs = blobs;
}

/** Empty blob directory, no slave yet; one of the blobs is empty, and one is recorded twice. */
export const firstCopyBushy: Scenario = {
  name: 'first copy with blobs, bushy',
  slow: true,
  prepare(stage) {
    const blobs = stage.withBlobs('bushy');
    const site = stage.site(1);
    blobs.commit(site, new Map([[FIRST, LONG]]), true);
    blobs.commit(site, new Map([[SECOND, '']]));
    site.close();
  },
};

export const firstCopyLawn: Scenario = {
  name: 'first copy with blobs, lawn',
  slow: true,
  diesAfter: (change) => change.kind === 'rename' && change.to.endsWith('.layout'),
  prepare(stage) {
    const site = siteWithBlobs(stage, stage.withBlobs('lawn'));
    site.close();
  },
};

/** Several batches; each brings blobs, the second an undo. */
export const appendBlobs: Scenario = {
  name: 'append with blobs, in batches',
  slow: true,
  async prepare(stage) {
    const blobs = stage.withBlobs('bushy');
    const site = siteWithBlobs(stage, blobs);
    await stage.inStep();
    blobs.commit(site, new Map([[THIRD, SHORT]]));
    write(site, 1, 6000);
    blobs.undo(site, FIRST);
    write(site, 1, 6000);
    blobs.commit(site, new Map([[SECOND, `${SHORT}, edited`]]));
    site.close();
  },
};

/** One batch; short enough for crashes two deep. */
export const appendOneBlob: Scenario = {
  name: 'append with a blob',
  async prepare(stage) {
    const blobs = stage.withBlobs('lawn');
    const site = stage.site(1);
    await stage.inStep();
    blobs.commit(site, new Map([[FIRST, SHORT]]));
    site.close();
  },
};

/** Nothing new; a blob whose file the master did not have is there now. */
export const missingRetried: Scenario = {
  name: 'a missing blob that is there again',
  async prepare(stage) {
    const blobs = stage.withBlobs('lawn');
    const site = siteWithBlobs(stage, blobs);
    const tid = blobs.commit(site, new Map([[THIRD, SHORT]]));
    site.close();
    blobs.lose({ oid: THIRD, tid });
    const { exitCode } = await stage.sync();
    if (exitCode !== 4) throw new Error(`the first copy ends with ${exitCode}`);
    stage.remember();
    blobs.restore({ oid: THIRD, tid });
  },
};

/** The slave was synced without its blobs until now; the master has grown. */
export const blobsEnabled: Scenario = {
  name: 'blobs of a slave that had none',
  slow: true,
  diesAfter: (change) => change.kind === 'rename' && !change.to.endsWith('.blob'),
  async prepare(stage) {
    const blobs = stage.withBlobs('lawn');
    const site = siteWithBlobs(stage, blobs);
    await inStepWithoutBlobs(stage);
    blobs.commit(site, new Map([[THIRD, SHORT]]));
    site.close();
  },
};

/** A slave without a claim, its blobs in memory only, and a blob that the master has lost and the manifest knows. */
export const blobsUnsynced: Scenario = {
  name: 'blobs of an unsynced copy',
  blobsUnsynced: true,
  slow: true,
  async prepare(stage) {
    const blobs = stage.withBlobs('lawn');
    const site = siteWithBlobs(stage, blobs);
    const tid = blobs.commit(site, new Map([[THIRD, SHORT]]));
    site.close();
    await stage.inStep();
    // As --no-blobs leaves it: the manifest knows the blobs, and no claim does.
    const dat = `${stage.slaveFile}.dat`;
    const parsed = parseDat(readFileSync(dat, 'utf8'));
    if (!('dat' in parsed)) throw new Error(parsed.problem);
    writeFileSync(dat, formatDat({ ...parsed.dat, blobs: undefined }));
    blobs.lose({ oid: THIRD, tid });
  },
};

/** The blob directory has another path than before: the `.dat` claims blobs in one that is not used any more. */
async function moveBlobs(stage: Stage): Promise<void> {
  const blobs = stage.withBlobs('lawn');
  const site = stage.site(1);
  blobs.commit(site, new Map([[FIRST, SHORT]]));
  await stage.inStep();
  // The manifest now has two segments; a new one has one, and another seal.
  blobs.commit(site, new Map([[SECOND, `${SHORT} number two`]]));
  site.close();
  await stage.inStep();
  const dat = `${stage.slaveFile}.dat`;
  const parsed = parseDat(readFileSync(dat, 'utf8'));
  if (!('dat' in parsed) || !parsed.dat.blobs) throw new Error('the slave claims no blobs');
  writeFileSync(dat, formatDat({ ...parsed.dat, blobs: { ...parsed.dat.blobs, directory: '/before' } }));
}

export const blobsMoved: Scenario = { name: 'blobs in a new place', prepare: moveBlobs };

/** Another program has copied them there, in memory only. */
export const blobsMovedUnsynced: Scenario = {
  name: 'blobs in a new place, unsynced',
  blobsUnsynced: true,
  prepare: moveBlobs,
};

/** The slave's blobs are links to the master's, whose bytes may be in memory only. */
export const blobsLinked: Scenario = {
  name: 'blobs that are linked',
  slow: true,
  async prepare(stage) {
    const blobs = stage.withBlobs('lawn', { way: 'link' });
    const site = stage.site(1);
    await stage.inStep();
    blobs.commit(site, new Map([[FIRST, SHORT]]));
    site.close();
  },
};

export const fullWithBlobs: Scenario = {
  name: 'full with blobs',
  full: true,
  slow: true,
  async prepare(stage) {
    const blobs = stage.withBlobs('lawn');
    const site = siteWithBlobs(stage, blobs);
    await stage.inStep();
    blobs.commit(site, new Map([[SECOND, `${SHORT} number two`]]));
    site.close();
  },
};

/** A run was killed in a batch: behind what the `.dat` counts the manifest has entries of it, sealed. */
export const manifestAhead: Scenario = {
  name: 'a manifest ahead of its .dat',
  slow: true,
  async prepare(stage) {
    const blobs = stage.withBlobs('lawn');
    const site = siteWithBlobs(stage, blobs);
    await stage.inStep();
    const before = [stage.slaveFile, `${stage.slaveFile}.dat`].map((path) => ({ path, bytes: readFileSync(path) }));
    blobs.commit(site, new Map([[THIRD, SHORT]]));
    await stage.inStep();
    for (const { path, bytes } of before) writeFileSync(path, bytes);
    blobs.commit(site, new Map([[SECOND, `${SHORT}, edited`]]));
    site.close();
  },
};
