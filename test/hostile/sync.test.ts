import { it } from 'node:test';
import { meet } from './meetings.js';
import { hostileSeed } from './settings.js';

it('a sync of hostile masters and slaves ends well or reports why, keeps the slave right, and bounds its memory', async (t) => {
  t.diagnostic(`seed ${hostileSeed}`);
  for (const [outcome, count] of await meet(200)) t.diagnostic(`${String(count).padStart(6)} ${outcome}`);
});
