import { describe, it } from 'node:test';
import { withPair } from '../support/pair.js';
import { fixedSeed } from '../support/seed.js';
import { rotEverywhere } from './rot.js';

describe('a flipped bit is found, repaired on the slave and never copied from the master', () => {
  const seed = Number(fixedSeed(20_260_101));

  it(`in every 4 KiB (seed ${seed})`, (t) =>
    withPair(async (pair) => {
      t.diagnostic(`${await rotEverywhere(pair, 30, seed)} places, on each side`);
    }));
});
