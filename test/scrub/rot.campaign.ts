import { describe, it } from 'node:test';
import { withPair } from '../support/pair.js';
import { drawnSeed } from '../support/seed.js';
import { rotEverywhere } from './rot.js';

describe('a flipped bit is found, repaired on the slave and never copied from the master', () => {
  it(`in every 4 KiB of a larger file (seed ${drawnSeed})`, (t) =>
    withPair(async (pair) => {
      t.diagnostic(`${await rotEverywhere(pair, 400, Number(drawnSeed))} places, on each side`);
    }));
});
