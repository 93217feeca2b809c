import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { formatRole, lastTerm, oneWord, parseRole, type RoleFacts, seenTerm } from '../../src/standby/role.js';
import { xxh64 } from '../support/chunks.js';
import { oneBitFlipped, randomlySpoiled } from '../support/spoiled-text.js';

/** The file by the description of its format, written by hand. */
const LINES = [
  'syncpozo role 1',
  'role master',
  'term 7',
  'began 1 2050 03fd3a2e1b2c3d4e 1795411149500 old.example.org promote unused',
  'began 3 2050 03fd3a2e1b2c3d4e 1795411149501 host-b carried-over open',
  'began 7 90000 ffffffffffffffff 1795411149999 host-b promote open',
  'promoted 90000 ffffffffffffffff 1795411149999 1795411140000',
  'refused 1795411000000 forked 2050 03fd3a2e1b2c3d4e 66 18446744073709551615',
  'damaged 1795410000000 4 0000000000000000',
];
const TID = 0x03fd3a2e1b2c3d4en;
const LAST = (1n << 64n) - 1n;
const FULL: RoleFacts = {
  role: 'master',
  terms: [
    {
      term: 1,
      position: 2050,
      tid: TID,
      at: 1795411149500,
      host: 'old.example.org',
      command: 'promote',
      unused: true,
    },
    { term: 3, position: 2050, tid: TID, at: 1795411149501, host: 'host-b', command: 'carried-over', unused: false },
    { term: 7, position: 90000, tid: LAST, at: 1795411149999, host: 'host-b', command: 'promote', unused: false },
  ],
  promotion: { position: 90000, tid: LAST, at: 1795411149999, lastSync: 1795411140000 },
  refusal: {
    since: 1795411000000,
    lineage: 'forked',
    position: 2050,
    tid: TID,
    device: '66',
    inode: '18446744073709551615',
  },
  damage: { since: 1795410000000, position: 4, tid: 0n },
};
const TEXT = sealed(LINES);

/** The text with a correct last line. */
function sealed(lines: readonly string[]): string {
  const body = lines.map((line) => `${line}\n`).join('');
  return `${body}end ${xxh64(Buffer.from(body))}\n`;
}

function problemOf(text: string): string {
  const parsed = parseRole(text);
  assert.ok('problem' in parsed, `taken for usable:\n${text}`);
  return parsed.problem;
}

describe('a role file', () => {
  it('is written in its format, and read back', () => {
    assert.equal(formatRole(FULL), TEXT);
    assert.deepEqual(parseRole(TEXT), { facts: FULL });
  });

  it('is read back without its optional lines', () => {
    const { promotion: _p, refusal: _r, damage: _d, ...bare } = FULL;
    const { position: _q, ...noPosition } = FULL.refusal!;
    const { tid: _t, ...nothingCommon } = noPosition;
    const cases: readonly RoleFacts[] = [
      bare,
      { ...bare, terms: [] },
      { role: 'slave', terms: [] },
      { role: 'rejoining', terms: FULL.terms },
      { role: 'superseded', terms: [], refusal: FULL.refusal! },
      { role: 'slave', terms: FULL.terms.slice(0, 1), damage: FULL.damage! },
      { ...FULL, promotion: { ...FULL.promotion!, lastSync: undefined } },
      { ...bare, refusal: noPosition },
      { ...bare, refusal: nothingCommon, damage: FULL.damage! },
    ];
    for (const facts of cases) assert.deepEqual(parseRole(formatRole(facts)), { facts });
  });

  it('without a term has this text', () => {
    assert.equal(formatRole({ role: 'slave', terms: [] }), sealed(['syncpozo role 1', 'role slave', 'term 0']));
  });

  it('counts an unused term for the next number, but not for the terms seen', () => {
    assert.deepEqual([lastTerm(FULL), seenTerm(FULL)], [7, 7]);
    const [first, second, third] = FULL.terms;
    const unused = { terms: [first!, second!, { ...third!, unused: true }] };
    assert.deepEqual([lastTerm(unused), seenTerm(unused)], [7, 3]);
    assert.deepEqual([lastTerm({ terms: [first!] }), seenTerm({ terms: [first!] })], [1, 0]);
    assert.deepEqual([lastTerm({ terms: [] }), seenTerm({ terms: [] })], [0, 0]);
  });

  it("contains a host's name as one word, whatever its characters", () => {
    const names = [
      ['node-1.example.org', 'node-1.example.org'],
      ['a b\tc\nend 0', 'a_b_c_end_0'],
      ['', '_'],
      ['\u0000\u007f\u00e9\u2028', '____'],
      ['x'.repeat(1000), 'x'.repeat(255)],
    ];
    for (const [name, word] of names) {
      assert.equal(oneWord(name!), word);
      const terms = [{ ...FULL.terms[0]!, host: name!, command: name! }];
      const expected = [{ ...FULL.terms[0]!, host: word!, command: word! }];
      assert.deepEqual(parseRole(formatRole({ role: 'slave', terms })), { facts: { role: 'slave', terms: expected } });
    }
  });
});

describe('a role file that is damaged is refused', () => {
  it('empty, of another version, or truncated anywhere', () => {
    assert.match(problemOf(''), /empty/);
    assert.match(problemOf(TEXT.replace('role 1', 'role 2')), /first line/);
    for (let length = 0; length < TEXT.length; length++) problemOf(TEXT.slice(0, length));
  });

  it('with anything behind its end or before its start', () => {
    for (const more of ['\n', ' ', 'x', TEXT, '\0']) {
      problemOf(TEXT + more);
      problemOf(more + TEXT);
    }
  });

  it('with any one bit flipped', () => {
    for (const text of oneBitFlipped(TEXT)) problemOf(text);
  });

  it('without an error being thrown, whatever its content', () => {
    for (const text of randomlySpoiled(TEXT, 11, 2000)) problemOf(text);
  });
});

describe('a role file with a correct checksum is refused', () => {
  const refused = (lines: readonly string[]) => problemOf(sealed(lines));
  const change = (from: string, to: string) => {
    assert.ok(LINES.some((line) => line.includes(from)));
    return refused(LINES.map((line) => line.replace(from, to)));
  };

  it('when a line is duplicated, moved, or missing', () => {
    for (const [n, line] of LINES.entries()) {
      if (!/^(began [13]|promoted|refused|damaged)/.test(line)) refused(LINES.toSpliced(n, 1));
      refused(LINES.toSpliced(n, 0, line));
      if (n > 0) refused(LINES.toSpliced(n, 1).toSpliced(n - 1, 0, line));
    }
  });

  it('when a field is missing, extra or malformed', () => {
    for (const [n, line] of LINES.entries()) {
      const fields = line.split(' ');
      for (let field = 0; field < fields.length; field++) {
        refused(LINES.with(n, fields.toSpliced(field, 1).join(' ')));
        refused(LINES.with(n, fields.with(field, '').join(' ')));
        // A host and a command may be any word.
        if (line.startsWith('began') && (field === 5 || field === 6)) continue;
        refused(LINES.with(n, fields.with(field, '?').join(' ')));
        refused(LINES.with(n, fields.with(field, '-1').join(' ')));
      }
      for (const other of [`${line} 0`, `${line} `, ` ${line}`, `${line}\r`]) refused(LINES.with(n, other));
    }
  });

  it('when its role is none of the four', () => {
    for (const role of ['promoted', 'MASTER', 'slaves', '__proto__']) change('role master', `role ${role}`);
  });

  it('when terms do not ascend, or the number is not that of the last', () => {
    assert.match(change('began 3', 'began 1'), /term 1 follows 1/);
    assert.match(change('began 3', 'began 8'), /term 7 follows 8/);
    assert.match(change('began 1 ', 'began 0 '), /term 0 follows 0/);
    assert.match(change('term 7', 'term 8'), /term is 8, its last term line is 7/);
    change('began 1 ', 'began 01 ');
  });

  it('when it has a promotion with another role', () => {
    for (const role of ['slave', 'rejoining', 'superseded'])
      assert.match(change('role master', `role ${role}`), /line 7/);
  });

  it('when a number or a time is too large', () => {
    for (const large of ['9007199254740992', '9'.repeat(400)])
      assert.match(change('began 7 90000', `began 7 ${large}`), /too large/);
    // The largest time of a Date, and one more.
    const last = LINES.map((line) => line.replace('1795411140000', '8640000000000000'));
    assert.ok('facts' in parseRole(sealed(last)));
    assert.match(change('1795411140000', '8640000000000001'), /too large/);
  });
});
