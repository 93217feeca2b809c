import { copyFileSync } from 'node:fs';
import { type Scenario, write } from '../scenario.js';

/** A slave that another program copied, without a `.dat`. */
export const adoption: Scenario = {
  name: 'adoption',
  prepare(stage) {
    const site = stage.site();
    copyFileSync(stage.masterFile, stage.slaveFile);
    write(site, 3, 300);
    write(site, 3, 600);
    site.close();
  },
};

/** The same with the copy still in memory only: the copier is responsible for states before the claim. */
export const adoptionUnsynced: Scenario = { ...adoption, name: 'adoption of an unsynced copy', copiedUnsynced: true };
