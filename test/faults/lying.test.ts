import { describe, it } from 'node:test';
import { loseEachWrite, reportedBy } from './lying.js';
import { REPAIR, SCENES } from './scene.js';
import { needsStrace } from './strace.js';

describe('a disk that loses a write and reports success is noticed', {
  skip: needsStrace ?? false,
}, () => {
  for (const scene of [...SCENES.filter(({ name }) => name === 'append' || name === 'first copy'), REPAIR]) {
    it(`in: ${scene.name}`, async (t) => {
      const sample = (when: number, of: number) => when <= 2 || when >= of - 1;
      t.diagnostic(reportedBy(await loseEachWrite(scene, ['slave', 'new', 'dat.tmp'], sample)));
    });
  }
});
