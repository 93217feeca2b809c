import { type Contender, race } from '../race.js';
import type { Measured, Row } from '../row.js';
import { dropFromCache, type Scene } from '../scene.js';
import { atMost, ofLarge } from '../target.js';

/**
 * Copies the whole file over a slave; compares it with the slave, transaction by transaction, before it replaces it.
 */
export const rebuild: Row = { name: 'rebuild', media: ['memory', 'disk'], measure };

async function measure(scene: Scene): Promise<Measured> {
  const { medium, pair, runs, onRun } = scene;
  const withoutSlave = (): void => {
    pair.clearSlave();
    if (medium === 'disk') dropFromCache(pair.master);
  };
  const overSlave = (): void => {
    pair.clearSlave();
    pair.syncNow();
    if (medium !== 'disk') return;
    dropFromCache(pair.master);
    dropFromCache(pair.slave);
  };
  const contenders: Contender[] = [
    pair.sync('full copy', 'full', { prepare: withoutSlave }),
    pair.sync('rebuild over a slave', 'rebuild', { prepare: overSlave, options: ['--full'] }),
  ];
  const series = await race(contenders, runs, onRun);
  pair.clearSlave();
  return {
    title: 'rebuild, with the lineage judged',
    note: 'Every record of both files is compared: what a slave holds is replaced only when the master has it.',
    series,
    targets: ofLarge(scene.bytes, atMost(series, 'rebuild over a slave', 1.3, 'full copy')),
  };
}
