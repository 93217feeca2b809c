import { Site } from '../../support/site.js';
import { type Scenario, write } from '../scenario.js';

/** The slave has transactions of its own: the sync refuses, and writes nothing. */
export const refusedOwn: Scenario = {
  name: 'refused own transactions',
  exitCode: 3,
  keepsOwn: true,
  async prepare(stage) {
    stage.site().close();
    await stage.inStep();
    const served = Site.open(stage.slaveFile, { clock: stage.clock });
    write(served, 1, 150, 'only here');
    served.close();
  },
};
