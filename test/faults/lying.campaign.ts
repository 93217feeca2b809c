import { describe, it } from 'node:test';
import { loseEachWrite, reportedBy } from './lying.js';
import { REPAIR, SCENES } from './scene.js';
import { needsStrace } from './strace.js';

describe('a disk that loses any write and reports success', { skip: needsStrace ?? false }, () => {
  for (const scene of [...SCENES.filter(({ keepsOwn }) => !keepsOwn), REPAIR]) {
    it(`in: ${scene.name}`, async (t) => {
      t.diagnostic(reportedBy(await loseEachWrite(scene, ['slave', 'new', 'dat.tmp'])));
    });
  }
});
