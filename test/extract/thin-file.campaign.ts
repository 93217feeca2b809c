import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { seed } from '../zodb/settings.js';
import { exported, judge } from './thin-histories.js';

/** The number of histories; SYNCPOZO_THIN_HISTORIES. */
const count = Number(process.env.SYNCPOZO_THIN_HISTORIES ?? '300');

it('hundreds of random histories, each with a thin file that real ZODB reads', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'syncpozo-thin-'));
  const seeds = Array.from({ length: count }, (_, n) => Number(seed) + n);
  t.diagnostic(`seeds ${seeds[0]} to ${seeds.at(-1)}`);
  await exported(directory, seeds);
  judge(directory, seeds);
  rmSync(directory, { recursive: true });
});
