import { it } from 'node:test';
import { meet } from './meetings.js';
import { hostileSeed } from './settings.js';

it('a sync of hostile masters and slaves ends well or says why, keeps the slave right, and its memory in bounds', async (t) => {
  t.diagnostic(`seed ${hostileSeed}`);
  for (const [outcome, count] of await meet(400)) t.diagnostic(`${String(count).padStart(6)} ${outcome}`);
});
