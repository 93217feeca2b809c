import { parseArgs } from 'node:util';
import { ensureVenv } from '../support/venv.js';
import { Judge } from '../zodb/judge.js';
import { chaos } from './chaos.js';

/** `node dist/test/chaos/main.js --minutes N --seed S`: runs chaos this long; prints how to repeat the choices. */
const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '10' }, seed: { type: 'string', default: String(Date.now()) } },
});
const minutes = Number(values.minutes);
if (!(minutes > 0)) throw new Error(`--minutes ${values.minutes}: expected a number above 0`);

const print = (line: string): void => {
  process.stdout.write(`${new Date().toISOString()} ${line}\n`);
};
ensureVenv();
const again = `npm run test:chaos -- --minutes ${minutes} --seed ${values.seed}`;
print(`chaos for ${minutes} minutes, seed ${values.seed}; the same choices again: ${again}`);
const judge = new Judge();
try {
  print(await chaos(judge, { seconds: minutes * 60, seed: values.seed, print }));
} finally {
  await judge.close();
}
