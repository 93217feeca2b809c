import { describe, it } from 'node:test';
import { withPair } from '../support/pair.js';
import { rotEverywhere } from './rot.js';

describe('a flipped bit is found, repaired on the slave and never copied from the master', () => {
  const seed = Number(process.env['SYNCPOZO_SEED'] ?? Date.now() % 1_000_000);

  it(`in every 4 KiB of a larger file (seed ${seed})`, (t) =>
    withPair(async (pair) => {
      t.diagnostic(`${await rotEverywhere(pair, 400, seed)} places, on each side`);
    }));
});
