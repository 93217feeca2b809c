import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { altered } from '../support/data-fs.js';
import { fieldsOf } from '../support/fields.js';
import { Random } from '../support/random.js';
import { withTempDir } from '../support/site.js';
import { verify, writeDat, writeIndex } from '../support/verifying.js';
import { loadCorpus, type State } from './corpus.js';
import { HostileJudge } from './hostile-judge.js';
import { agreed } from './verify-agrees.js';

const EVERY = 9;
const DAMAGED_STATES = 12;
const BITS_A_STATE = 40;
const LARGEST_DAMAGED = 20_000;

describe("verify, on states of ZODB's own storage tests,", () => {
  let states: State[];
  let judge: HostileJudge;

  before(async () => {
    judge = new HostileJudge();
    await withTempDir((directory) => {
      const all = loadCorpus(directory).flatMap((sequence) => sequence.states);
      const different = [...new Map(all.map((state) => [state.bytes, state])).values()];
      states = different.filter(({ committedEnd }, n) => n % EVERY === 0 || committedEnd === undefined);
    });
  });
  after(() => judge.close());

  it("finds no problem in those that ZODB opens, and ZODB's problem in the others", () =>
    withTempDir(async (directory) => {
      const path = join(directory, 'Data.fs');
      for (const { bytes, committedEnd } of states) {
        writeFileSync(path, bytes);
        const result = await verify(path);
        if (committedEnd === undefined) {
          assert.ok(result.problems.some(({ severity }) => severity === 'refused'));
        } else {
          assert.deepEqual(result.problems, []);
          assert.equal(result.committedEnd, committedEnd);
          assert.equal(result.tail, committedEnd < bytes.length ? 'in-flight' : 'none');
        }
      }
    }));

  it('reports what ZODB does with each single flipped bit; with a .dat and an index it finds every one', async () => {
    const random = new Random(11);
    const whole = states.filter((state) => isComplete(state) && state.bytes.length < LARGEST_DAMAGED);
    for (let n = 0; n < DAMAGED_STATES; n++) {
      const bytes = new Uint8Array(random.pick(whole).bytes);
      const fields = fieldsOf(bytes).filter(({ name }) => !name.endsWith('magic'));
      const flipped = Array.from({ length: BITS_A_STATE }, () => {
        const { position, length } = random.pick(fields);
        const at = position + random.below(length);
        return altered(bytes, (view) => view.setUint8(at, view.getUint8(at) ^ (1 << random.below(8))));
      });
      const verdicts = await judge.judge(flipped);
      await withTempDir(async (directory) => {
        const path = join(directory, 'Data.fs');
        for (const [which, changed] of flipped.entries()) {
          writeFileSync(path, changed);
          agreed(await verify(path), verdicts[which]!, changed);
        }
      });
      await withTempDir(async (directory) => {
        const path = join(directory, 'Data.fs');
        writeFileSync(path, bytes);
        await writeDat(path, bytes);
        writeIndex(path, bytes);
        assert.deepEqual((await verify(path)).problems, []);
        for (const changed of flipped) {
          writeFileSync(path, changed);
          assert.equal((await verify(path)).ok, false, Buffer.from(changed).toString('hex'));
        }
      });
    }
  });
});

function isComplete({ bytes, committedEnd }: State): boolean {
  return committedEnd === bytes.length && committedEnd > 4;
}
