import { writeFileSync } from 'node:fs';
import type { Scenario } from '../scenario.js';

/** The slave is in step; a dead rebuild left its unfinished file. */
export const nothingNew: Scenario = {
  name: 'nothing new',
  async prepare(stage) {
    stage.site().close();
    await stage.inStep();
    writeFileSync(`${stage.slaveFile}.new`, 'FS30 and no more');
  },
};
