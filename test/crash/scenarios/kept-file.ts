import fs, { rmSync } from 'node:fs';
import { type Scenario, write } from '../scenario.js';

/** The master was packed, and no Data.fs.old proves its lineage: the old slave is kept, once. */
export const keptFile: Scenario = {
  name: 'a rebuild that keeps the old file',
  slow: true,
  packed: true,
  keepsOwn: true,
  keptInDoubt: true,
  async prepare(stage) {
    const site = stage.site();
    write(site, 3, 90, 'what the slave has');
    await stage.inStep();
    await stage.indexSlave();
    write(site, 3, 90, 'later text');
    if (!site.pack()) throw new Error('the pack has freed nothing');
    rmSync(`${stage.masterFile}.old`);
    write(site, 2, 120, 'text after the pack');
    site.close();
  },
};

/** The master was packed: the slave's file from before the pack is kept, and an older one is removed. */
export const keptPackedFile: Scenario = {
  name: 'a rebuild that keeps the file from before the pack',
  slow: true,
  rare: true,
  packed: true,
  keepsOwn: true,
  keptInDoubt: true,
  packedFiles: 1,
  async prepare(stage) {
    const site = stage.site();
    for (const text of ['first text', 'later text', 'last text']) {
      write(site, 3, 90, text);
      await stage.inStep(1);
      await stage.indexSlave();
      write(site, 3, 90, `${text}, edited`);
      if (!site.pack()) throw new Error('the pack has freed nothing');
    }
    write(site, 2, 120, 'text after the pack');
    site.close();
  },
};

const { linkSync } = fs;

/** The same on a file system without hard links: the old file is moved, and the slave's path is empty for a moment. */
export const keptPackedFileWithoutLinks: Scenario = {
  ...keptPackedFile,
  name: 'a rebuild that keeps the file from before the pack, without hard links',
  movesAside: true,
  large: true,
  async prepare(stage) {
    await keptPackedFile.prepare(stage);
    fs.linkSync = () => {
      throw Object.assign(new Error('EPERM: operation not permitted, link'), { code: 'EPERM' });
    };
  },
  afterwards() {
    fs.linkSync = linkSync;
  },
};
