import assert from 'node:assert/strict';
import { appendFileSync, copyFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseDat } from '../../src/standby/dat.js';
import { slavePaths } from '../../src/standby/paths.js';
import { roleOf } from '../../src/standby/role-of.js';
import { markSuperseded } from '../../src/standby/superseded.js';
import { demote } from '../../src/takeover/demote.js';
import type { IndexLimits } from '../../src/takeover/promotion-index.js';
import { Site } from '../support/site.js';
import type { Change } from './change.js';
import { DAT, DATA } from './history.js';
import type { Disk } from './model-disk.js';
import { promoteIn } from './promotion-crashes.js';
import { type Stage, write } from './scenario.js';
import { aheadFlipped, aheadUnfinished } from './scenarios/ahead.js';

/** A slave in a state in which a takeover may find it. */
export interface PromotionScenario {
  readonly name: string;
  prepare(stage: Stage): Promise<void>;
  readonly exitCode?: number;
  /** The term that begins; default 1. */
  readonly term?: number;
  readonly rest?: Buffer;
  /** The term of another side, which a person decides against. */
  readonly peerTerm?: number;
  /** When the promotion builds an index; for files this small it would not. */
  readonly indexLimits?: IndexLimits;
  /** The last change of a killed process, which is in memory only, and the disk without it. */
  pending?(seen: Disk, stage: Stage): { readonly start: Disk; readonly change: Change };
}

const STATUS_OFFSET = 16;
const KILLED = { site: 'a process that was killed', within: [] } as const;
const ALWAYS: IndexLimits = { from: 0, upTo: Number.POSITIVE_INFINITY, indexBytes: Number.POSITIVE_INFINITY };
const GARBAGE = Buffer.from('these bytes are no transaction, whoever has written them. '.repeat(20));

export const PROMOTIONS: readonly PromotionScenario[] = [
  { name: 'of a slave in step', prepare: inStep },
  {
    name: 'of a slave that has served before',
    term: 2,
    async prepare(stage) {
      await inStep(stage);
      await promoteIn(stage.slave);
      const role = roleOf(slavePaths(stage.slave, DATA));
      assert.ok('facts' in role);
      demote(slavePaths(stage.slave, DATA), role.facts, false);
    },
  },
  {
    name: 'of a side that was superseded, and is to go on',
    term: 6,
    peerTerm: 5,
    async prepare(stage) {
      await inStep(stage);
      await promoteIn(stage.slave);
      serve(stage);
      assert.equal(markSuperseded(slavePaths(stage.slave, DATA), 5).kind, 'marked');
    },
  },
  {
    name: 'of a side that serves, while the other one was promoted as well',
    term: 2,
    peerTerm: 1,
    async prepare(stage) {
      await inStep(stage);
      await promoteIn(stage.slave);
      serve(stage);
    },
  },
  {
    name: 'of an unknown slave',
    async prepare(stage) {
      await inStep(stage);
      rmSync(join(stage.slave, DAT));
    },
  },
  { name: 'of an unfinished batch', prepare: async (stage) => aheadUnfinished.prepare(stage) },
  {
    name: 'of a batch that is complete in memory only',
    prepare: async (stage) => aheadFlipped.prepare(stage),
    pending(seen) {
      const file = seen.names.get(DATA) ?? -1;
      const bytes = imageOf(seen, DATA);
      const position = claimOf(imageOf(seen, DAT)) + STATUS_OFFSET;
      const unfinished = Uint8Array.from(bytes);
      unfinished[position] = 'c'.charCodeAt(0);
      const images = new Map(seen.images).set(file, { bytes: unfinished, attributes: 0 });
      const change = { kind: 'write', file, position, bytes: bytes.slice(position, position + 1), ...KILLED } as const;
      return { start: { names: seen.names, images }, change };
    },
  },
  {
    name: 'of a slave that was rebuilt in memory only',
    async prepare(stage) {
      await inStep(stage);
      // The file that a rebuild would have written, since the master has grown.
      copyFileSync(stage.masterFile, join(stage.slave, `${DATA}.new`));
    },
    pending(seen, stage) {
      renameSync(join(stage.slave, `${DATA}.new`), stage.slaveFile);
      const file = seen.names.get(`${DATA}.new`) ?? -1;
      return { start: seen, change: { kind: 'rename', from: `${DATA}.new`, to: DATA, file, ...KILLED } };
    },
  },
  {
    name: 'of a slave with an outdated index',
    indexLimits: ALWAYS,
    async prepare(stage) {
      const site = stage.site();
      await stage.inStep();
      write(site, 3, 300);
      site.close();
      await stage.inStep();
    },
  },
  {
    name: 'of bytes that are no transaction',
    exitCode: 4,
    rest: GARBAGE,
    async prepare(stage) {
      await inStep(stage);
      appendFileSync(stage.slaveFile, GARBAGE);
    },
  },
];

function serve(stage: Stage): void {
  const site = Site.open(stage.slaveFile, { clock: stage.clock });
  write(site, 2, 200, 'own');
  site.close();
}

export async function inStep(stage: Stage): Promise<void> {
  const site = stage.site();
  await stage.inStep();
  write(site, 3, 300);
  site.close();
}

export function imageOf(disk: Disk, name: string): Uint8Array {
  return disk.images.get(disk.names.get(name) ?? -1)?.bytes ?? new Uint8Array();
}

function claimOf(dat: Uint8Array): number {
  const parsed = parseDat(Buffer.from(dat).toString('utf8'));
  assert.ok('dat' in parsed);
  return parsed.dat.claim.position;
}
