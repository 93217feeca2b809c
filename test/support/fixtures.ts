import { Fixture, type FixtureFacts } from '../../bench/fixture/fixture.js';
import { type FixtureOptions, SITE } from '../../bench/fixture/options.js';

/** Everything that a fixture can contain, close together. */
export const EVERYTHING: FixtureOptions = {
  ...SITE,
  undos: 0.1,
  blobs: 0.1,
  empties: 0.1,
  packedUpTo: 400_000,
  huge: [
    { at: 100_000, bytes: 150_000 },
    { at: 600_000, bytes: 3_000_000 },
  ],
};

/** A fixture in memory that has grown to these sizes in turn. */
export function grown(options: FixtureOptions, sizes: readonly number[]): { bytes: Buffer; facts: FixtureFacts } {
  const fixture = new Fixture(options);
  const pieces: Buffer[] = [];
  for (const size of sizes) fixture.growTo(size, (bytes) => pieces.push(Buffer.from(bytes)));
  return { bytes: Buffer.concat(pieces), facts: fixture.facts };
}
