import { type Scenario, write } from '../scenario.js';

/** `--full` over a slave that is behind. */
export const full: Scenario = {
  name: 'full',
  full: true,
  async prepare(stage) {
    const site = stage.site();
    await stage.inStep();
    await stage.indexSlave();
    write(site, 3, 250);
    site.close();
  },
};
