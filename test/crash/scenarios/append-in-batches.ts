import { type Scenario, write } from '../scenario.js';

/** The master has grown by several batches of several chunks. */
export const appendInBatches: Scenario = {
  name: 'append in batches',
  slow: true,
  async prepare(stage) {
    const site = stage.site();
    await stage.inStep();
    for (const length of [200, 700, 30, 1200, 500]) write(site, 3, length);
    site.close();
  },
};
