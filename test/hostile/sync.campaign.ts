import { it } from 'node:test';
import { meet } from './meetings.js';
import { hostileSeed } from './settings.js';

it('a sync of thousands of hostile masters and slaves', async (t) => {
  t.diagnostic(`seed ${hostileSeed}`);
  for (const [outcome, count] of await meet(10_000)) t.diagnostic(`${String(count).padStart(6)} ${outcome}`);
});
