import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { race, WrongResult } from '../../bench/race.js';

const nothing = (): void => {};

describe('a race', async () => {
  it('runs the contenders in turn, each after its preparation', async () => {
    const seen: string[] = [];
    const contender = (name: string) => ({
      name,
      command: ['echo', name],
      prepare: () => void seen.push(`before ${name}`),
      check: (stdout: string) => void seen.push(stdout.trim()),
    });
    const [a, b] = [contender('a'), contender('b')];
    const series = await race([a, a, b], 2, nothing);
    const turn = ['before a', 'a', 'before a', 'a', 'before b', 'b'];
    assert.deepEqual(seen, [...turn, ...turn]);
    assert.deepEqual(
      series.map(({ name, timings }) => [name, timings.length]),
      [
        ['a', 4],
        ['b', 2],
      ],
    );
    assert.ok(series.every(({ timings }) => timings.every(({ seconds }) => seconds > 0)));
  });

  it('ends when a command fails, and reports its output', async () => {
    const command = ['sh', '-c', 'echo went wrong >&2; exit 3'];
    await assert.rejects(race([{ name: 'x', command }], 1, nothing), /ended with 3\nwent wrong/);
  });

  it('ends when a result is wrong', async () => {
    const check = (): void => {
      throw new WrongResult('not the same');
    };
    await assert.rejects(race([{ name: 'x', command: ['true'], check }], 1, nothing), WrongResult);
  });
});
