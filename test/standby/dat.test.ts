import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Dat, formatDat, parseDat } from '../../src/standby/dat.js';
import { xxh64 } from '../support/chunks.js';
import { oneBitFlipped, randomlySpoiled } from '../support/spoiled-text.js';

const CHUNKS = [
  { start: 4, end: 1004, firstTid: 1n, lastTid: 7n, transactions: 3, records: 9, hash: '0123456789abcdef' },
  { start: 1004, end: 2000, firstTid: 8n, lastTid: 8n, transactions: 1, records: 0, hash: 'f'.repeat(16) },
  { start: 2000, end: 2050, firstTid: 9n, lastTid: 1n << 63n, transactions: 2, records: 4, hash: '0'.repeat(16) },
];
const FULL: Dat = {
  master: { device: '66', inode: '18446744073709551615', size: 9000, mtime: '1795411149500000000', magic: 'FS30' },
  slaveInode: '123456',
  claim: { position: 2050, tid: 1n << 63n },
  tailState: 'ab'.repeat(32 + (50 % 32)),
  copiedFrom: 1004,
  torn: { position: 2050, size: 9000, runs: 2 },
  chunks: CHUNKS,
};
const { copiedFrom: _, ...NOT_COPIED } = FULL;
const EMPTY: Dat = { ...NOT_COPIED, claim: { position: 4, tid: 0n }, tailState: '', torn: undefined, chunks: [] };
const TEXT = formatDat(FULL);

function problemOf(text: string): string {
  const parsed = parseDat(text);
  assert.ok('problem' in parsed, `taken for usable:\n${text}`);
  return parsed.problem;
}

/** The text with a correct last line: what a bug of ours, or an operator, could write. */
function sealed(lines: readonly string[]): string {
  const body = lines.map((line) => `${line}\n`).join('');
  const chunks = lines.filter((line) => line.startsWith('chunk ')).length;
  return `${body}end ${chunks} ${xxh64(Buffer.from(body))}\n`;
}
const LINES = TEXT.split('\n').slice(0, -2);

describe('a .dat', () => {
  it('is read back as it was written', () => {
    const cases: readonly Dat[] = [
      FULL,
      EMPTY,
      { ...FULL, torn: undefined },
      NOT_COPIED,
      { ...FULL, master: { ...FULL.master, magic: 'FS21' } },
      { ...EMPTY, torn: { position: 4, size: 5, runs: 1 } },
    ];
    for (const dat of cases) assert.deepEqual(parseDat(formatDat(dat)), { dat });
  });

  it('of ten thousand chunks is read back', () => {
    const chunks = Array.from({ length: 10_000 }, (_, n) => {
      return { ...CHUNKS[0]!, start: 4 + n * 32, end: 36 + n * 32, lastTid: BigInt(n) };
    });
    const claim = { position: 320_004, tid: 9999n };
    const dat = { ...FULL, chunks, claim, tailState: 'ab'.repeat(32), torn: undefined };
    assert.deepEqual(parseDat(formatDat(dat)), { dat });
  });

  it('has the checksum that this test computes', () => {
    assert.equal(sealed(LINES), TEXT);
  });
});

describe('a .dat of the previous version', () => {
  const old = (role: string, promoted: readonly string[] = []) => {
    const chunk = LINES.findIndex((line) => line.startsWith('chunk '));
    const rest = [...LINES.slice(1, chunk), ...promoted, ...LINES.slice(chunk)];
    return sealed(['syncpozo 2', `role ${role}`, ...rest]);
  };

  it('is read, with its role and its promotion', () => {
    assert.deepEqual(parseDat(old('slave')), { dat: FULL, old: { role: 'slave' } });
    assert.deepEqual(parseDat(old('promoted')), { dat: FULL, old: { role: 'promoted' } });
    const promotion = { position: 2050, tid: 9n, at: 1795411149500, lastSync: 1795411149400 };
    const line = 'promoted 2050 0000000000000009 1795411149500 1795411149400';
    assert.deepEqual(parseDat(old('promoted', [line])), { dat: FULL, old: { role: 'promoted', promotion } });
    const never = { role: 'promoted', promotion: { ...promotion, lastSync: undefined } };
    assert.deepEqual(parseDat(old('promoted', [line.replace('1795411149400', '-')])), { dat: FULL, old: never });
  });

  it("is refused unless it is exactly in that version's format", () => {
    const line = 'promoted 2050 0000000000000009 1795411149500 -';
    for (const text of [
      old('master'),
      old('slave', [line]),
      old('promoted', [line, line]),
      old('promoted', [`${line} 0`]),
      old('promoted', [line.replace('1795411149500', '8640000000000001')]),
      sealed(['syncpozo 2', ...LINES.slice(1)]),
      sealed([LINES[0]!, 'role slave', ...LINES.slice(1)]),
      old('slave').replace('role slave', 'role promoted'),
    ])
      problemOf(text);
  });
});

describe('a .dat that is damaged is refused', () => {
  it('empty', () => assert.match(problemOf(''), /empty/));

  it('of another version', () => {
    assert.match(problemOf(TEXT.replace('syncpozo 3', 'syncpozo 1')), /first line/);
    assert.match(problemOf(TEXT.replace('syncpozo 3', 'syncpozo 30')), /first line/);
  });

  it('truncated anywhere', () => {
    for (let length = 0; length < TEXT.length; length++) problemOf(TEXT.slice(0, length));
  });

  it('with anything behind its end', () => {
    for (const more of ['\n', ' ', 'x', TEXT, 'end 3 0123456789abcdef\n', '\0']) problemOf(TEXT + more);
  });

  it('with any one bit flipped', () => {
    for (const text of oneBitFlipped(TEXT)) problemOf(text);
  });

  it('with a line removed, doubled or moved', () => {
    const all = TEXT.split('\n').slice(0, -1);
    for (const [n, line] of all.entries()) {
      const without = all.toSpliced(n, 1);
      problemOf(`${without.join('\n')}\n`);
      for (let to = 0; to <= without.length; to++) {
        problemOf(`${all.toSpliced(to, 0, line).join('\n')}\n`);
        if (to !== n) problemOf(`${without.toSpliced(to, 0, line).join('\n')}\n`);
      }
    }
  });

  it('without an error being thrown, whatever its content', () => {
    for (const text of randomlySpoiled(TEXT, 9, 2000)) problemOf(text);
  });
});

describe('a .dat with a correct checksum is refused', () => {
  const refused = (lines: readonly string[]) => problemOf(sealed(lines));

  it('when a line is missing, doubled or moved', () => {
    for (const [n, line] of LINES.entries()) {
      if (!/^(torn|copied)/.test(line)) refused(LINES.toSpliced(n, 1));
      refused(LINES.toSpliced(n, 0, line));
      if (n > 0) refused(LINES.toSpliced(n, 1).toSpliced(n - 1, 0, line));
    }
  });

  it('when a field is missing, extra or malformed', () => {
    for (const [n, line] of LINES.entries()) {
      const fields = line.split(' ');
      for (let field = 0; field < fields.length; field++) {
        refused(LINES.with(n, fields.toSpliced(field, 1).join(' ')));
        refused(LINES.with(n, fields.with(field, '?').join(' ')));
        refused(LINES.with(n, fields.with(field, '-1').join(' ')));
        refused(LINES.with(n, fields.with(field, '').join(' ')));
      }
      refused(LINES.with(n, `${line} 0`));
      refused(LINES.with(n, `${line} `));
      refused(LINES.with(n, ` ${line}`));
      refused(LINES.with(n, `${line}\r`));
    }
  });

  const change = (from: string, to: string) => refused(LINES.map((line) => line.replace(from, to)));

  it('when chunks are not contiguous', () => {
    assert.match(change('chunk 4 1004', 'chunk 5 1004'), /begins at 5/);
    assert.match(change('chunk 1004 2000', 'chunk 1003 2000'), /begins at 1003, the one before ends at 1004/);
    assert.match(change('chunk 1004 2000', 'chunk 1005 2000'), /begins at 1005/);
  });

  it('when a chunk is empty or ends before its start', () => {
    assert.match(change('chunk 4 1004', 'chunk 4 4'), /empty/);
    assert.match(change('chunk 4 1004', 'chunk 4 3'), /empty/);
    assert.match(change(' 3 9 ', ' 0 9 '), /empty/);
  });

  it('when the claim is not at the end of the chunks', () => {
    assert.match(change('claim 2050', 'claim 2051'), /claim is 2051/);
    assert.match(change('claim 2050 8000000000000000', 'claim 2050 8000000000000001'), /tid/);
  });

  it('when the hash state has the wrong length', () => {
    assert.match(change('tail abab', 'tail ab'), /hash state/);
    assert.match(change('tail ab', 'tail a'), /hash state/);
    assert.match(refused(LINES.map((line) => (line.startsWith('tail') ? 'tail -' : line))), /hash state/);
  });

  it('when the last copied range lies outside the claim', () => {
    for (const copied of ['copied 3', 'copied 2051'])
      assert.match(change('copied 1004', copied), /copied last/, copied);
  });

  it('when its torn tail is below the claim, empty, or was never seen', () => {
    for (const torn of ['torn 2049 9000 2', 'torn 2050 2050 2', 'torn 2050 2049 2', 'torn 2050 9000 0']) {
      assert.match(change('torn 2050 9000 2', torn), /torn/, torn);
    }
  });

  it('when a number is too large', () => {
    for (const large of ['9007199254740992', '18446744073709551616', '9'.repeat(400)]) {
      assert.match(change('claim 2050', `claim ${large}`), /too large/);
    }
  });

  it('when its end has another number of chunks', () => {
    assert.match(problemOf(TEXT.replace('\nend 3 ', '\nend 2 ')), /has 3 chunks, its end says 2/);
  });
});
