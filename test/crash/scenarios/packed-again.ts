import { Site } from '../../support/site.js';
import { type Scenario, type Stage, write } from '../scenario.js';

/** Writes all pages again and packs the master, so that nothing of the slave's last state is left. */
function packAgain(stage: Stage): void {
  const site = Site.open(stage.masterFile, { clock: stage.clock });
  write(site, 3, 90, 'later text');
  write(site, 3, 90, 'latest text');
  if (!site.pack()) throw new Error('the pack has freed nothing');
  write(site, 1, 90, 'text after the pack');
  site.close();
}

/** The slave is rebuilt after a pack; the master is packed once more before the next sync. */
export const rebuildPackedAgain: Scenario = {
  name: 'rebuild, then packed again',
  packed: true,
  async prepare(stage) {
    const site = stage.site();
    write(site, 3, 60, 'other text');
    await stage.inStep();
    if (!site.pack()) throw new Error('the pack has freed nothing');
    write(site, 2, 120);
    site.close();
  },
  afterwards: packAgain,
};

/** A tail is appended; the master is packed before the next sync, and the pack drops what was appended last. */
export const appendPackedAgain: Scenario = {
  name: 'append, then packed',
  packed: true,
  async prepare(stage) {
    const site = stage.site();
    await stage.inStep();
    write(site, 3, 120, 'appended text');
    site.close();
  },
  afterwards: packAgain,
};

/** `--full`; the master is packed before the next sync. */
export const fullPackedAgain: Scenario = {
  name: 'full, then packed',
  large: true,
  packed: true,
  full: true,
  async prepare(stage) {
    const site = stage.site();
    await stage.inStep();
    write(site, 3, 120, 'more text');
    site.close();
  },
  afterwards: packAgain,
};
