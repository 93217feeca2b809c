import { Site } from '../../support/site.js';
import { type Scenario, type Stage, write } from '../scenario.js';

/** All pages are written again and the master is packed, so that nothing is left of what the slave had last. */
function packAgain(stage: Stage): void {
  const site = Site.open(stage.masterFile, { clock: stage.clock });
  write(site, 3, 90, 'later text');
  write(site, 3, 90, 'latest text');
  if (!site.pack()) throw new Error('the pack has freed nothing');
  write(site, 1, 90, 'text after the pack');
  site.close();
}

/** The slave is made anew after a pack; before the next sync the master is packed once more. */
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

/** A tail is appended; before the next sync the master is packed, and the pack drops what was appended last. */
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

/** `--full`; before the next sync the master is packed. */
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
