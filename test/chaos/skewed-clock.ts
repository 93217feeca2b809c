/**
 * Loaded before the program (`node --import`): its clock is off by hours, runs fast or slow, and jumps, depending on a seed.
 * No result of a sync may depend on the time.
 */
import { Random } from '../support/random.js';

const HOUR_MS = 3_600_000;
const JUMPS_ONE_CALL_IN = 20;

const random = new Random(Number(process.env['SYNCPOZO_TEST_CLOCK'] ?? '0'));
const now = Date.now;
const began = now();
const rate = random.pick([0, 0.1, 1, 1, 10, -1]);
let offset = (random.below(2001) - 1000) * HOUR_MS;

Date.now = () => {
  if (random.below(JUMPS_ONE_CALL_IN) === 0) offset += (random.below(201) - 100) * 1000;
  return Math.round(began + offset + (now() - began) * rate);
};
