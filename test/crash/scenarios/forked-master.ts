import { copyFileSync, renameSync, rmSync } from 'node:fs';
import { Site } from '../../support/site.js';
import { type Scenario, type Stage, write } from '../scenario.js';

/** The page of the other history only; no later transaction there writes it, so no pack drops it. */
const OTHER_PAGE = 4;

/**
 * Two histories with a common start: the slave is in step with one, and the other is returned, at its own path. `early`: the
 * other one has a transaction that is older than the slave's last one.
 */
async function fork(stage: Stage, early: boolean): Promise<Site> {
  const site = stage.site();
  const path = `${stage.masterFile}.other`;
  copyFileSync(stage.masterFile, path);
  const other = Site.open(path, { clock: stage.clock });
  if (early) other.commit(other.pages(new Map([[OTHER_PAGE, 'only in the other history']])));
  write(site, 3, 120, 'what the slave has');
  site.close();
  await stage.inStep();
  await stage.indexSlave();
  write(other, 3, 150, 'the other history');
  return other;
}

function packed(site: Site): Site {
  if (!site.pack()) throw new Error('the pack has freed nothing');
  return site;
}

/** Moves the other history to the master's path. */
function exchange(stage: Stage, other: Site): void {
  other.close();
  renameSync(stage.masterFile, `${stage.masterFile}.right`);
  renameSync(`${stage.masterFile}.other`, stage.masterFile);
  rmSync(`${stage.masterFile}.other.old`, { force: true });
}

/** The headers of a forked master prove nothing after its pack, so everything is copied before the rebuild is refused. */
export const rebuildRefused: Scenario = {
  name: 'a rebuild refused at its end',
  slow: true,
  exitCode: 3,
  packed: true,
  keepsOwn: true,
  staysRefused: 'always',
  async prepare(stage) {
    const other = packed(await fork(stage, true));
    write(other, 2, 100, 'text after the pack');
    exchange(stage, other);
  },
};

/**
 * A forked master is refused. Then it is packed, and only the recorded refusal shows the fork. A run without that record
 * keeps the old file.
 */
export const refusedThenPacked: Scenario = {
  name: 'a refusal, then packed',
  exitCode: 3,
  packed: true,
  keepsOwn: true,
  keptInDoubt: true,
  staysRefused: 'once recorded',
  async prepare(stage) {
    exchange(stage, await fork(stage, false));
  },
  afterwards(stage) {
    const site = Site.open(stage.masterFile, { clock: stage.clock });
    write(site, 3, 90, 'later text');
    packed(site).close();
  },
};

/** The right master is back, and has grown: the refusal is lifted. */
export const refusalLifted: Scenario = {
  name: 'a refusal lifted by the right master',
  async prepare(stage) {
    exchange(stage, await fork(stage, false));
    const { exitCode } = await stage.sync();
    if (exitCode !== 3) throw new Error(`the forked master is not refused: ${exitCode}`);
    renameSync(`${stage.masterFile}.right`, stage.masterFile);
    const site = Site.open(stage.masterFile, { clock: stage.clock });
    write(site, 2, 100, 'the right master goes on');
    site.close();
  },
};
