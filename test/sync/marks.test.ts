import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import type { Notice, Work } from '../../src/pipeline/work.js';
import { type SlavePaths, slavePaths } from '../../src/standby/paths.js';
import { publishRole, readRoleFile } from '../../src/standby/role-file.js';
import type { Plan } from '../../src/sync/facts.js';
import { noteMarks } from '../../src/sync/marks.js';
import type { Outcome } from '../../src/sync/outcome.js';
import { marksOf, takeTerms } from '../../src/sync/standing.js';
import { DAMAGE, resumeAt, SIDES } from '../support/deciding.js';
import { withTempDir } from '../support/site.js';

const MASTER = { size: 9, magic: 'FS30', device: '11', inode: '12' } as const;
const NONE: Plan = { kind: 'none', row: 13, reason: '' };
const FULL: Plan = { kind: 'full', row: 6, reason: '--full' };
const refusedAs = (lineage: 'forked' | 'swapped' | 'superseded' | 'role'): Plan => {
  return { kind: 'forked', row: 11, reason: '', hint: '', lineage };
};
const TERM = { term: 3, position: 90, tid: 8n, at: 1000, host: 'h', command: 'promote', unused: false };

/** A run in which nothing occurred except the given facts. */
function note(paths: SlavePaths, outcome: Partial<Outcome>): Notice[] {
  const notices: Notice[] = [];
  const work = { paths, report: (notice: Notice) => void notices.push(notice) } as unknown as Work;
  noteMarks(work, { plan: NONE, master: MASTER, ...outcome } as Outcome);
  return notices;
}

function withSlave(use: (paths: SlavePaths) => void): Promise<void> {
  return withTempDir((directory) => use(slavePaths(directory, 'Data.fs')));
}

describe('marks that outlive a run', () => {
  it('are not written while there is nothing to record', () =>
    withSlave((paths) => {
      note(paths, { reached: resumeAt(4) });
      assert.deepEqual(readdirSync(paths.directory), []);
    }));

  it('keep the first refusal, with position and master, until a run ends in step', () =>
    withSlave((paths) => {
      note(paths, { plan: refusedAs('forked'), sides: SIDES });
      const { refusal } = marksOf(paths);
      const { lineage, position, tid, device, inode } = refusal!;
      assert.deepEqual([lineage, position, tid, device, inode], ['forked', 400, 9n, '11', '12']);
      const text = readFileSync(paths.role, 'utf8');
      note(paths, { plan: refusedAs('forked'), sides: { ...SIDES, common: undefined } });
      note(paths, {});
      assert.equal(readFileSync(paths.role, 'utf8'), text, 'neither a second refusal nor an idle run changes it');
      note(paths, { reached: resumeAt(4) });
      assert.equal(marksOf(paths).refusal, undefined);
    }));

  it('record no refusal that is about the identity of the sides', () =>
    withSlave((paths) => {
      for (const lineage of ['swapped', 'superseded', 'role'] as const) note(paths, { plan: refusedAs(lineage) });
      assert.equal(marksOf(paths).refusal, undefined);
    }));

  it('keep damage until everything has been copied again', () =>
    withSlave((paths) => {
      note(paths, { damage: DAMAGE });
      note(paths, { reached: resumeAt(4) });
      const { position, tid } = marksOf(paths).damage!;
      assert.deepEqual([position, tid], [500, 8n]);
      note(paths, { plan: FULL, reached: resumeAt(4) });
      assert.equal(marksOf(paths).damage, undefined);
    }));

  it('keep role and terms, and an unreadable role file', () =>
    withSlave((paths) => {
      publishRole(paths, { role: 'superseded', terms: [TERM] });
      note(paths, { damage: DAMAGE });
      const file = readRoleFile(paths);
      assert.ok('facts' in file);
      assert.deepEqual([file.facts.role, file.facts.terms], ['superseded', [TERM]]);
      writeFileSync(paths.role, 'no role file');
      note(paths, { damage: DAMAGE });
      assert.equal(readFileSync(paths.role, 'utf8'), 'no role file');
    }));

  it('cause a warning when they cannot be written', () =>
    withSlave((paths) => {
      const gone = {
        ...paths,
        role: `${paths.directory}/missing/Data.fs.role`,
        directory: `${paths.directory}/missing`,
      };
      const [notice] = note(gone, { damage: DAMAGE });
      assert.equal(notice?.level, 'warn');
      assert.match(notice.message, /could not be recorded/);
    }));
});

describe("the master's terms", () => {
  it('are copied to the slave once, which creates a missing role file', () =>
    withSlave((paths) => {
      takeTerms(paths, undefined, false);
      assert.deepEqual(readRoleFile(paths), { facts: { role: 'slave', terms: [] } });
      takeTerms(paths, { role: 'master', terms: [TERM] }, false);
      assert.deepEqual(readRoleFile(paths), { facts: { role: 'slave', terms: [TERM] } });
      const { ino } = statSync(paths.role);
      takeTerms(paths, { role: 'master', terms: [TERM] }, false);
      assert.equal(statSync(paths.role).ino, ino, 'it is not written again');
    }));

  it('replace higher terms of the slave only with --full', () =>
    withSlave((paths) => {
      publishRole(paths, { role: 'slave', terms: [TERM] });
      const lower = { role: 'master', terms: [{ ...TERM, term: 2 }] } as const;
      for (const [forced, term] of [
        [false, 3],
        [true, 2],
      ] as const) {
        takeTerms(paths, lower, forced);
        const file = readRoleFile(paths);
        assert.equal('facts' in file && file.facts.terms[0]?.term, term);
      }
    }));
});
