import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { quote, visible } from '../../src/report/quote.js';

describe("others' text in quotes", () => {
  it('is plain text as it is', () => {
    for (const text of ['', 'abc', 'Data.fs', 'größer', '日本']) assert.equal(quote(text), `"${text}"`);
  });

  it('shows every control character, and obeys none', () => {
    for (let code = 0; code <= 0xffff; code++) {
      if (code >= 0x20 && (code < 0x7f || code > 0x9f) && code !== 0x2028 && code !== 0x2029) continue;
      const shown = quote(String.fromCharCode(code));
      assert.match(shown, /^"\\([bfnrt]|u[0-9a-f]{4})"$/, `U+${code.toString(16)}`);
    }
  });

  it('can be read back as JSON', () => {
    for (const text of ['a"b', 'a\\b', 'a\nb', '\u0085\u009b', '\u2028', '\ud800']) {
      assert.equal(JSON.parse(quote(text)), text);
    }
  });
});

describe('text that is made visible', () => {
  it('is as it was but for its control characters', () => {
    assert.equal(visible('a "b" \\ größer\n\u001b[2J\u009b'), 'a "b" \\ größer\\u000a\\u001b[2J\\u009b');
  });
});
