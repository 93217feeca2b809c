import { copyFileSync, cpSync, linkSync, renameSync, rmSync } from 'node:fs';
import { Site } from '../../support/site.js';
import { DAT, DATA } from '../history.js';
import { type Scenario, type Stage, write } from '../scenario.js';
import { FIRST, SHORT, siteWithBlobs, THIRD } from './blobs.js';

function packed(name: string, keepPacked: boolean, more: Partial<Scenario> = {}): Scenario {
  return {
    name,
    packed: true,
    ...more,
    async prepare(stage) {
      const blobs = stage.withBlobs('bushy', { keepPacked });
      const site = siteWithBlobs(stage, blobs);
      await stage.inStep();
      blobs.commit(site, new Map([[THIRD, SHORT]]));
      blobs.pack(site);
      site.close();
    },
  };
}

/** A pack has removed one of the slave's blobs; another blob is new. */
export const packedBlobs = packed('rebuild with blobs after a pack', false, {
  slow: true,
  diesAfter: (change) =>
    (change.kind === 'rename' && [DATA, DAT].includes(change.to)) ||
    (change.kind === 'unlink' && change.name.endsWith('.blob')),
});
export const packedBlobsKept = packed('rebuild with blobs after a pack, kept', true, { slow: true });

/** All blobs get new contents, and the earlier ones are packed away. */
function packAgain(stage: Stage): void {
  const site = Site.open(stage.masterFile, { clock: stage.clock });
  for (const oid of [FIRST, THIRD]) stage.blobs?.site.commit(site, new Map([[oid, `${SHORT}, edited again`]]));
  stage.blobs?.site.pack(site);
  write(site, 1, 90, 'text after the pack');
  site.close();
}

/** The slave is rebuilt after a pack; the master is packed once more before the next sync. */
export const packedBlobsAgain = packed('rebuild with blobs, then packed again', false, {
  slow: true,
  rare: true,
  leavesCopies: true,
  afterwards: packAgain,
});

/** The same, and nothing proves the second pack: the rebuilt slave is kept, and so are the blobs that it names. */
export const packedBlobsInDoubt = packed('rebuild with blobs, then packed without proof', false, {
  slow: true,
  leavesCopies: true,
  afterwards(stage) {
    packAgain(stage);
    rmSync(`${stage.masterFile}.old`);
  },
});

/** One file from before a pack is kept with its blobs; the older one goes, and the blobs that it alone needs. */
export const packedBlobsOfKeptFiles: Scenario = {
  name: 'rebuild with blobs after a pack, which keeps the file from before it',
  slow: true,
  packed: true,
  keepsOwn: true,
  keptInDoubt: true,
  packedFiles: 1,
  async prepare(stage) {
    const blobs = stage.withBlobs('bushy');
    const site = siteWithBlobs(stage, blobs);
    await stage.inStep();
    for (const text of ['second', 'third']) {
      blobs.commit(site, new Map([[FIRST, `${SHORT}, ${text}`]]));
      blobs.pack(site);
      await stage.inStep(1);
    }
    blobs.commit(site, new Map([[FIRST, `${SHORT}, fourth`]]));
    blobs.pack(site);
    site.close();
  },
};

/** A tail with a blob is appended; the master is packed before the next sync, and the pack drops that blob. */
export const appendedBlobsPacked: Scenario = {
  name: 'append with a blob, then packed',
  slow: true,
  packed: true,
  leavesCopies: true,
  async prepare(stage) {
    const blobs = stage.withBlobs('lawn');
    const site = siteWithBlobs(stage, blobs);
    await stage.inStep();
    blobs.commit(site, new Map([[THIRD, SHORT]]));
    site.close();
  },
  afterwards: packAgain,
};

/**
 * A rebuild was killed after its swap, before the swap was durable: the new file, its `.dat` and its manifest are complete,
 * the latter two under their temporary names, and nothing that was packed away is removed yet.
 */
export const killedBehindSwapWithBlobs: Scenario = {
  name: 'killed after the swap, with blobs',
  slow: true,
  packed: true,
  swappedUnsynced: true,
  async prepare(stage) {
    await packedBlobs.prepare(stage);
    const { slaveFile, slaveBlobs, masterFile } = stage;
    const kept = `${masterFile}.kept`;
    linkSync(slaveFile, kept);
    for (const end of ['.dat', '.blobs']) copyFileSync(`${slaveFile}${end}`, `${kept}${end}`);
    cpSync(slaveBlobs, `${kept}.tree`, { recursive: true, preserveTimestamps: true });
    await stage.inStep();
    rmSync(`${slaveFile}.index`, { force: true });
    for (const end of ['', '.dat', '.blobs']) {
      renameSync(`${slaveFile}${end}`, `${slaveFile}.new${end}`);
      renameSync(`${kept}${end}`, `${slaveFile}${end}`);
    }
    copyFileSync(`${slaveFile}.blobs`, `${slaveFile}.blobs.before`);
    cpSync(`${kept}.tree`, slaveBlobs, { recursive: true, preserveTimestamps: true });
  },
};
