import { appendFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Run, syncpozo } from './cli.js';
import { flip, timeless } from './json-damage.js';
import type { Scenes } from './json-scenes.js';
import { withBlobs } from './json-scenes-blobs.js';
import { heldByOther } from './locks.js';
import type { Pair } from './pair.js';
import { promoteArgs } from './promotion.js';

/** The slave of the pair serves, and its master is the old one. */
function rejoin(pair: Pair, ...more: string[]): Run {
  return syncpozo(['rejoin', pair.slave, pair.master, '--json', '--yes', '--status-file', pair.statusFile, ...more]);
}

/** A header with the status of a transaction in flight, and a part of its body. */
const IN_FLIGHT = Buffer.concat([Buffer.alloc(8, 0x7f), Buffer.from('0000000000001000', 'hex'), Buffer.alloc(99, 'c')]);

function handedOver(pair: Pair, ...lost: string[]): void {
  pair.synced();
  syncpozo(promoteArgs(pair));
  pair.commit(...lost);
  pair.site.close();
  pair.commitToSlave('served');
}

export const REJOIN: Scenes = {
  'of an old master with transactions of its own': (pair, see) => {
    see(rejoin(pair));
    handedOver(pair, 'lost', 'lost too');
    appendFileSync(pair.masterFile, IN_FLIGHT);
    see(rejoin(pair, '--dry-run'));
    see(rejoin(pair));
    see(rejoin(pair, '--dry-run'));
    see(rejoin(pair));
  },
  'with everything copied': (pair, see) => {
    handedOver(pair, 'lost');
    see(rejoin(pair, '--full', '--dry-run'));
    see(rejoin(pair, '--full'));
  },
  'of times that no tid names': (pair, see) => {
    pair.site.close();
    writeFileSync(pair.masterFile, timeless(3));
    pair.synced();
    see(rejoin(pair));
    syncpozo(promoteArgs(pair));
    see(rejoin(pair, '--keep-switch'));
  },
  'with blobs': (pair, see) => {
    const blobs = withBlobs(pair);
    blobs.sync();
    syncpozo(promoteArgs(pair));
    blobs.add();
    pair.site.close();
    see(rejoin(pair, '--blobs', `${blobs.onSlave('')}:${blobs.onMaster('')}`));
  },
  'of an old master that is damaged or in use, or whose other side is gone': async (pair, see) => {
    handedOver(pair);
    flip(pair.masterFile, 'the second');
    see(rejoin(pair));
    const { master, slave } = pair;
    const swapped = { slave: master } as Pair;
    await heldByOther(swapped, 'another program', () => see(rejoin(pair)));
    rmSync(join(slave, 'Data.fs'));
    see(rejoin(pair));
  },
};
