import { it } from 'node:test';
import { hostileSeed } from '../hostile/settings.js';
import { compareWithZodb } from './hostile.js';

it('the walk and ZODB read a hundred thousand generated files alike, except for the differences in the table', async (t) => {
  t.diagnostic(`seed ${hostileSeed}`);
  for (const [name, count] of await compareWithZodb(100_000)) t.diagnostic(`${String(count).padStart(6)} ${name}`);
});
