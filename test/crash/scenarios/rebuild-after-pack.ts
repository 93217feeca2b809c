import type { Site } from '../../support/site.js';
import type { Scenario } from '../scenario.js';

const TEXT = 400;

/**
 * The master was packed and has grown to its old size, and its last transaction has the position of the slave's last one and
 * writes the same page: FileStorage's sanity check would accept the old slave's index for the new file.
 */
export const rebuildAfterPack: Scenario = {
  name: 'rebuild after a pack',
  packed: true,
  async prepare(stage) {
    const site = stage.site(2);
    for (const page of [1, 1, 1, 2, 1]) edit(site, page, TEXT);
    const size = edit(site, 2, TEXT);
    const end = site.committedEnd;
    await stage.inStep();
    await stage.indexSlave();
    if (!site.pack()) throw new Error('the pack has freed nothing');
    const gap = end - site.committedEnd - size;
    edit(site, 1, TEXT + gap - size);
    edit(site, 2, TEXT);
    if (site.committedEnd !== end) throw new Error(`the look-alike ends at ${site.committedEnd}, not at ${end}`);
    site.close();
  },
};

/** Commits a text of this many bytes to a page. Returns the length of the transaction. */
function edit(site: Site, page: number, length: number): number {
  const before = site.committedEnd;
  site.commit(site.pages(new Map([[page, `page ${page} `.padEnd(length, '.')]])));
  return site.committedEnd - before;
}
