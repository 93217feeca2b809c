import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { quote, visible } from '../../src/report/quote.js';

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, n) => from + n);
}

describe('quoted text of others', () => {
  it('is unchanged when it is plain', () => {
    for (const text of ['', 'abc', 'Data.fs', 'größer', '日本']) assert.equal(quote(text), `"${text}"`);
  });

  it('has every control character escaped', () => {
    for (let code = 0; code <= 0xffff; code++) {
      if (code >= 0x20 && (code < 0x7f || code > 0x9f) && code !== 0x2028 && code !== 0x2029) continue;
      const shown = quote(String.fromCharCode(code));
      assert.match(shown, /^"\\([bfnrt]|u[0-9a-f]{4})"$/, `U+${code.toString(16)}`);
    }
  });

  it('has every bidirectional and invisible character escaped', () => {
    const codes = [
      ...[0x00ad, 0x061c, 0x180e, 0xfeff, 0x2028, 0x2029],
      ...range(0x200b, 0x200f),
      ...range(0x202a, 0x202e),
      ...range(0x2060, 0x2064),
      ...range(0x2066, 0x206f),
      ...range(0xfff9, 0xfffb),
    ];
    for (const code of codes)
      for (const show of [quote, visible]) {
        const shown = show(`a${String.fromCharCode(code)}b`);
        assert.equal(shown.replaceAll('"', ''), `a\\u${code.toString(16).padStart(4, '0')}b`);
      }
    // Beyond 16 bits: what follows a flag to name a region, and can hide any text.
    assert.equal(visible('a\u{e0041}b'), 'a\\udb40\\udc41b');
  });

  it('has a lone surrogate escaped, and a complete pair unchanged', () => {
    for (const half of ['\ud800', '\udbff', '\udc00', '\udfff']) {
      const word = `\\u${half.charCodeAt(0).toString(16)}`;
      assert.equal(visible(`a${half}b`), `a${word}b`);
      assert.equal(quote(`a${half}b`), `"a${word}b"`);
    }
    assert.equal(visible('\udc00\ud83d\ude00\ud83d'), '\\udc00\ud83d\ude00\\ud83d');
    for (const text of ['\u{1f600}', 'שלום', 'مرحبا', '\u0600\u06dd', 'e\u0301', '❤\ufe0f', '한글'])
      assert.equal(visible(text), text);
  });

  it('can be read back as JSON', () => {
    for (const text of ['a"b', 'a\\b', 'a\nb', '\u0085\u009b', '\u2028', '\ud800', '\u202e', '\ufeff', '\u{e0041}']) {
      assert.equal(JSON.parse(quote(text)), text);
    }
  });
});

describe('visible text', () => {
  it('is unchanged except for control characters', () => {
    assert.equal(visible('a "b" \\ größer\n\u001b[2J\u009b'), 'a "b" \\ größer\\u000a\\u001b[2J\\u009b');
  });
});
