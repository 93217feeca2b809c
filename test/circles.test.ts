import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { betweenRooms, circlesIn, importGraph } from './support/import-graph.js';
import { inProject } from './support/root.js';

const LONGEST_FILE = 250;

describe('imports', () => {
  const graph = importGraph('src', 'workers');

  it('are found, including types and dynamic imports', () => {
    assert.ok(graph.size > 150);
    assert.ok(graph.get('src/sync/sync.ts')?.has('src/sync/append.ts'));
    assert.ok(graph.get('src/sync/facts.ts')?.has('src/pipeline/resume.ts'));
    assert.ok(graph.get('src/index/maker.ts')?.has('src/index/thread.ts'));
    for (const [path, targets] of graph)
      for (const target of targets) assert.ok(graph.has(target), `${path}: ${target}`);
  });

  it('form no circle from file to file', () => {
    assert.deepEqual(circlesIn(graph), []);
  });

  it('form no circle from room to room', () => {
    const files = [...graph].filter(([path]) => /^src\/\w+\//.test(path));
    assert.deepEqual(circlesIn(betweenRooms(new Map(files))), []);
  });

  it('and a circle would be found', () => {
    const circle = new Map([
      ['a', new Set(['b', 'd'])],
      ['b', new Set(['c'])],
      ['c', new Set(['b'])],
      ['d', new Set(['c'])],
    ]);
    assert.deepEqual(circlesIn(circle), [['b', 'c', 'b']]);
    assert.deepEqual(circlesIn(new Map([['a', new Set(['a'])]])), [['a', 'a']]);
    const rooms = new Map([
      ['src/x/one.ts', new Set(['src/y/one.ts'])],
      ['src/y/one.ts', new Set<string>()],
      ['src/y/two.ts', new Set(['src/x/two.ts'])],
      ['src/x/two.ts', new Set<string>()],
    ]);
    assert.deepEqual(circlesIn(rooms), []);
    assert.deepEqual(circlesIn(betweenRooms(rooms)), [['src/x', 'src/y', 'src/x']]);
  });
});

describe('a file of the product', () => {
  it(`has ${LONGEST_FILE} lines at the most`, () => {
    for (const path of importGraph('src', 'workers').keys()) {
      const lines = readFileSync(inProject(path), 'utf8').trimEnd().split('\n').length;
      assert.ok(lines <= LONGEST_FILE, `${path}: ${lines}`);
    }
  });
});
