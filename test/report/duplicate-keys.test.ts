import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { duplicateKeys } from '../support/duplicate-keys.js';

describe('the check for duplicate keys', () => {
  it('finds them in any object of a line, and nothing else', () => {
    for (const text of [
      '{}',
      '{"a":1,"b":{"a":2},"c":[{"a":1},{"a":"a"}]}',
      '{"a":"\\",\\"a\\":","b":"b"}',
      '["a","a"]',
    ])
      assert.deepEqual(duplicateKeys(text), [], text);
    assert.deepEqual(duplicateKeys('{"time":1,"a":{"x":[],"y":"}","x":2},"time":3}'), ['x', 'time']);
    assert.deepEqual(duplicateKeys('{"time":1,"\\u0074ime":2}'), ['time']);
  });
});
