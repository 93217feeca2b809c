import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import fc from 'fast-check';
import { bytesOf, hostileFiles } from '../hostile/damage.js';
import { runs } from '../hostile/settings.js';
import { withTempDir } from '../support/site.js';
import { verify } from '../support/verifying.js';
import { HostileJudge } from './hostile-judge.js';
import { agreed } from './verify-agrees.js';

const FILES = 800;
const FILES_A_RUN = 20;

it('verify reports what ZODB does with hostile files: refuse, truncate, or open them', async (t) => {
  const judge = new HostileJudge();
  const tally = new Map<string, number>();
  const property = fc.asyncProperty(
    fc.array(hostileFiles(), { minLength: 1, maxLength: FILES_A_RUN, size: 'max' }),
    async (hostile) => {
      const contents = hostile.map(bytesOf);
      const verdicts = await judge.judge(contents);
      for (const [n, bytes] of contents.entries()) {
        const result = await withTempDir((directory) => {
          const path = join(directory, 'Data.fs');
          writeFileSync(path, bytes);
          return verify(path);
        });
        const outcome = agreed(result, verdicts[n]!, bytes);
        tally.set(outcome, (tally.get(outcome) ?? 0) + 1);
      }
    },
  );
  try {
    await fc.assert(property, runs(Math.ceil(FILES / (FILES_A_RUN / 2))));
  } finally {
    await judge.close();
  }
  t.diagnostic([...tally].map(([what, count]) => `${what} ${count}`).join(', '));
});
