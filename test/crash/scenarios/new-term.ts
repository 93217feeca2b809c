import { writeFileSync } from 'node:fs';
import { formatRole } from '../../../src/standby/role.js';
import type { Site } from '../../support/site.js';
import { type Scenario, type Stage, write } from '../scenario.js';

/** Starts a term of the master, as its promotion does. */
function promote(stage: Stage, site: Site, term: number): void {
  stage.terms.push({ term, tid: site.lastTid });
  const lines = stage.terms.map((each) => ({
    ...each,
    position: site.committedEnd,
    at: stage.clock(),
    host: 'zeo2',
    command: 'promote',
    unused: false,
  }));
  writeFileSync(`${stage.masterFile}.role`, formatRole({ role: 'master', terms: lines }));
}

/** The master was promoted, and has committed in its new term. */
export const appendOfTerm: Scenario = {
  name: 'append of a new term',
  async prepare(stage) {
    const site = stage.site();
    await stage.inStep();
    promote(stage, site, 1);
    write(site, 2, 300);
    site.close();
  },
};

/** The same after a pack. */
export const rebuildOfTerm: Scenario = {
  name: 'rebuild in a new term',
  packed: true,
  async prepare(stage) {
    const site = stage.site();
    promote(stage, site, 1);
    write(site, 2, 90, 'text of the first term');
    await stage.inStep();
    promote(stage, site, 2);
    write(site, 3, 90, 'text of the second term');
    if (!site.pack()) throw new Error('the pack has freed nothing');
    site.close();
  },
};
