import { Site } from '../../support/site.js';
import { type Scenario, write } from '../scenario.js';

/** `--full` over a slave that has served and has transactions of its own: its file is kept aside. */
export const fullOverOwn: Scenario = {
  name: 'full over own transactions',
  full: true,
  keepsOwn: true,
  async prepare(stage) {
    const site = stage.site();
    await stage.inStep();
    const served = Site.open(stage.slaveFile, { clock: stage.clock });
    write(served, 2, 150, 'only here');
    served.close();
    await stage.indexSlave();
    write(site, 3, 250);
    write(site, 2, 700);
    site.close();
  },
};
