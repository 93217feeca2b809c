import { type Scenario, write } from '../scenario.js';

/** The master has grown by less than a batch. */
export const append: Scenario = {
  name: 'append',
  async prepare(stage) {
    const site = stage.site();
    await stage.inStep();
    write(site, 3, 250);
    write(site, 3, 600);
    write(site, 3, 400);
    site.close();
  },
};
