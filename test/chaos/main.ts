import { parseArgs } from 'node:util';
import { ensureVenv } from '../support/venv.js';
import { runWayback } from '../wayback/run-wayback.js';
import { Judge } from '../zodb/judge.js';
import { chaos } from './chaos.js';

/**
 * `node dist/test/chaos/main.js --minutes N --seed S`: chaos for this long, the second half of it with takeovers and ways back
 * of both sides; prints the seed, which repeats the choices.
 */
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
  const seconds = (minutes * 60) / 2;
  print(await chaos(judge, { seconds, seed: values.seed, print }));
  print(await runWayback('--zeo', '--count', '100000', '--seconds', String(seconds), '--seed', values.seed));
} finally {
  await judge.close();
}
