import { type Scenario, write } from '../scenario.js';

/** There is no slave yet. */
export const firstCopy: Scenario = {
  name: 'first copy',
  prepare(stage) {
    const site = stage.site();
    write(site, 3, 300);
    write(site, 3, 1100);
    site.close();
  },
};
