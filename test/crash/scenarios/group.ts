import { type Scenario, type Stage, write } from '../scenario.js';

async function grown(stage: Stage): Promise<void> {
  const site = stage.site();
  await stage.inStep();
  write(site, 3, 250);
  write(site, 3, 600);
  site.close();
}

/** The slave is appended to up to the moment of its group, which is not the master's end. */
export const groupAppend: Scenario = {
  name: 'append in a group',
  group: 'ready',
  slow: true,
  prepare: grown,
};

/** Another storage of the group drops out when everything is written: it is dropped. */
export const groupDropped: Scenario = {
  name: 'append in a group, dropped',
  group: 'dropped',
  prepare: grown,
};

/** The slave is rebuilt up to the moment of its group. */
export const groupRebuild: Scenario = {
  name: 'rebuild in a group',
  group: 'ready',
  packed: true,
  slow: true,
  async prepare(stage) {
    const site = stage.site();
    await stage.inStep();
    write(site, 3, 250);
    site.pack();
    write(site, 3, 600);
    site.close();
  },
};
