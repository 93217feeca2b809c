import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BlobSettings } from '../../src/blobs/settings.js';
import type { Site } from '../support/site.js';
import { type BlobKey, BlobSite, placeOf } from './blob-site.js';
import { BLOBS } from './image.js';
import type { Disk } from './model-disk.js';
import { imageOf } from './promotion-scenarios.js';
import type { Stage } from './scenario.js';

/** Whose transaction a blob is of: of both sides, of the old master only, of the serving side only. */
type Owner = 'common' | 'lost' | 'served';

/** The blobs of an old master, beside the slave's directory of a stage, and of the side that serves. */
export class RejoinBlobs {
  private readonly all: { readonly id: BlobKey; readonly text: string; readonly owner: Owner }[] = [];
  private readonly old: BlobSite;
  private readonly serving: BlobSite;

  constructor(stage: Stage) {
    this.old = new BlobSite(stage.slaveBlobs, 'lawn');
    this.serving = new BlobSite(join(stage.master, '..', 'served-blobs'), 'lawn');
  }

  /** For the sync from the old master before the takeover. */
  get forth(): BlobSettings {
    return this.settings(this.old.directory, this.serving.directory);
  }

  /** For a rejoin, and for the syncs behind it, of an old master in a directory. */
  back(slave: string): BlobSettings {
    return this.settings(this.serving.directory, join(slave, BLOBS));
  }

  commit(owner: Owner, site: Site, oid: bigint): void {
    const text = `${owner}, blob ${this.all.length}`;
    const tid = (owner === 'served' ? this.serving : this.old).commit(site, new Map([[oid, text]]));
    this.all.push({ id: { oid, tid }, text, owner });
  }

  /** What is wrong in a state of the disk; `isSlave`: it has ended. */
  problemIn(state: Disk, isSlave: boolean): string | undefined {
    const kept = [...state.names.keys()].flatMap((name) => /^lost-[0-9a-f-]+\.blobs/.exec(name)?.[0] ?? []);
    return this.problemAt(isSlave, new Set(kept), (name) =>
      state.names.has(name) ? Buffer.from(imageOf(state, name)).toString('utf8') : undefined,
    );
  }

  /** What is wrong in a directory after the end of a rejoin; `names`: its files. */
  problemAfter(directory: string, names: readonly string[]): string | undefined {
    const kept = names.filter((name) => /^lost-[0-9a-f-]+\.blobs$/.test(name));
    return this.problemAt(true, new Set(kept), (name) => {
      const path = join(directory, name);
      return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
    });
  }

  private problemAt(
    isSlave: boolean,
    kept: ReadonlySet<string>,
    read: (name: string) => string | undefined,
  ): string | undefined {
    for (const { id, text, owner } of this.all) {
      const place = placeOf(id, 'lawn');
      const inTree = read(join(BLOBS, place));
      const aside = [...kept].map((name) => read(join(name, place)));
      const places = [inTree, ...aside].filter((each) => each !== undefined);
      if (places.some((each) => each !== text)) return `a ${owner} blob has other bytes`;
      if (owner === 'lost') {
        if (places.length === 0) return `${text} is gone`;
        if (isSlave && (inTree !== undefined || places.length !== 1)) return `${text} is not in its one place`;
      } else if (inTree === undefined && (isSlave || owner === 'common')) return `${text} is gone from the tree`;
    }
    return undefined;
  }

  private settings(master: string, slave: string): BlobSettings {
    return { master, slave, by: 'records', way: 'copy', keepPacked: false };
  }
}
