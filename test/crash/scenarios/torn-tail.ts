import { readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { type Scenario, write } from '../scenario.js';

/** The master ends in a transaction that is incomplete and not in flight, which the `.dat` counts. Later it is complete. */
export const tornTail: Scenario = {
  name: 'a torn tail',
  async prepare(stage) {
    const site = stage.site();
    await stage.inStep();
    write(site, 3, 300);
    site.close();
    writeFileSync(`${stage.masterFile}.whole`, readFileSync(stage.masterFile));
    truncateSync(stage.masterFile, statSync(stage.masterFile).size - 100);
  },
  afterwards(stage) {
    writeFileSync(stage.masterFile, readFileSync(`${stage.masterFile}.whole`));
  },
};
