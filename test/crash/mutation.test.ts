import assert from 'node:assert/strict';
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from '../support/apart.js';
import type { Case } from './case.js';
import { enumerate } from './enumerate.js';
import { Judge } from './judge.js';
import { type LostRecord, lostProblems, recordLost } from './lost-crashes.js';
import { fastDirectory } from './materialise.js';
import { findKiller, GoodStates, type Mutant, publishBefore, without } from './mutants.js';
import { afterKill, type Played, play } from './play.js';
import { type PromotionRecord, promotionProblems, recordPromotions } from './promotion-crashes.js';
import { type RejoinRecord, recordRejoins, rejoinProblems } from './rejoin-crashes.js';
import { type RestoreCrashes, recordRestores, restoreProblems } from './restore-crashes.js';
import { type RoleChange, recordRoleChanges, roleChangeProblems } from './role-crashes.js';
import { SCENARIOS } from './scenarios/index.js';
import { recordSwitch, recordSwitchPutBack, type SwitchRecord, switchProblems } from './switch-crashes.js';
import { syncSites } from './sync-sites.js';

/**
 * The scenario that kills the mutants of a function, where few do: it comes before all others. It saves time alone: what no
 * longer holds here is found by the search through all of them.
 */
const KILLED_BY: Readonly<Record<string, string>> = {
  'blobs/aside.js linkAside': 'rebuild with blobs after a pack, kept',
  'blobs/manifest-file.js journal': 'first copy with blobs, bushy',
  'index/index-of-file.js makeDurable': 'the index of an unsynced copy',
  'standby/dat-file.js publishDatWith': 'rebuild, then packed again',
  'standby/kept-packed.js dropPacked': 'rebuild with blobs after a pack, which keeps the file from before it',
  'sync/append.js append': 'a truncated slave',
  'sync/batch.js settle': 'a large transaction truncated',
};

/**
 * The runs after a death of these scenarios have what few others have: names, or a slave, that a killed run left in memory only.
 * Those with few changes come first.
 */
const FIRST = [
  'killed after the swap',
  'blobs in a new place',
  'a repair by scrub',
  'first copy with blobs, bushy',
  'a truncated slave',
];

/** Every call that makes something durable has a reason: without it, some crash is not survived. */
describe(import.meta.url, 'the enumeration fails for every mutant', () => {
  const sites = syncSites();
  const plays: Played[] = [];
  const clean = new Map<string, boolean>();
  const good = new GoodStates();
  const killed = new Map<string, Case>();
  let switched: SwitchRecord[];
  let promotions: PromotionRecord[];
  let roleChanges: RoleChange[];
  let restores: RestoreCrashes[];
  let rejoins: RejoinRecord[];
  let lost: LostRecord[];
  let judge: Judge;

  before(async () => {
    judge = new Judge(mkdtempSync(join(fastDirectory(), 'syncpozo-mutation-')));
    for (const scenario of SCENARIOS) plays.push(await play(scenario, judge));
    const back = (from: 'on' | undefined) => recordSwitchPutBack(join(judge.scratch, `switch-back-${from}`), from);
    switched = [
      await recordSwitch(join(judge.scratch, 'switch'), 'on', 'off'),
      await back('on'),
      await back(undefined),
    ];
    promotions = await recordPromotions(judge);
    roleChanges = await recordRoleChanges(judge);
    restores = await recordRestores(judge);
    // The shortest first.
    rejoins = (await recordRejoins(judge)).toSorted((one, other) => one.changes.length - other.changes.length);
    lost = await recordLost(join(judge.scratch, 'lost'));
  });
  after(() => judge.close());

  it('and a scenario covers every call in the sources, and every covered call was found there', () => {
    const others = [...switched, ...roleChanges, ...promotions, ...restores, ...lost, ...rejoins];
    const changes = [...plays.map((played) => played.case), ...others].flatMap((of) => of.changes);
    const syncs = changes.filter(({ kind }) => kind === 'sync' || kind === 'sync-directory');
    assert.deepEqual([...new Set(syncs.map(({ site }) => site))].sort(), sites);
  });

  for (const mutant of [...sites.map(without), publishBefore('flip'), publishBefore('swap', 'publishDatWith')]) {
    it(mutant.name, async (t) => {
      const killer = await firstKiller(mutant);
      assert.ok(
        killer !== undefined,
        'no state becomes bad: the model lacks a legal state, or the call is superfluous',
      );
      t.diagnostic(killer);
    });
  }

  async function firstKiller(mutant: Mutant): Promise<string | undefined> {
    const known = KILLED_BY[functionOf(mutant) ?? ''];
    const isKnown = ({ case: { name } }: Played): boolean => name === known;
    const soon = await killerIn(mutant, cases(mutant, plays.filter(isKnown)));
    if (soon) return soon;
    for (const of of switched) {
      const mutation = mutant.mutate(of.changes);
      const problem = mutation && switchProblems(of, new Set(), mutation)[0];
      if (problem) return `the switch ${problem}`;
    }
    for (const of of restores) {
      const mutation = mutant.mutate(of.changes);
      const problem = mutation && restoreProblems(of, new Set(), mutation)[0];
      if (problem) return problem;
    }
    for (const of of lost) {
      const mutation = mutant.mutate(of.changes);
      const problem = mutation && lostProblems(of, new Set(), mutation)[0];
      if (problem) return problem;
    }
    for (const of of roleChanges) {
      const mutation = mutant.mutate(of.changes);
      const problem = mutation && (await roleChangeProblems(of, judge, new Set(), mutation))[0];
      if (problem) return problem;
    }
    for (const of of promotions) {
      const lost = mutant.mutate(of.changes);
      const bad = lost && (await promotionProblems(of, judge, new Set(), lost))[0];
      if (bad) return bad;
    }
    // A call that a sync makes as well is for the scenarios of a sync.
    const isOfSync = plays.some((played) => mutant.mutate(played.case.changes));
    for (const of of isOfSync ? [] : rejoins) {
      const mutation = mutant.mutate(of.changes);
      const problem = mutation && (await rejoinProblems(of, judge, new Set(), mutation))[0];
      if (problem) return problem;
    }
    return await killerIn(
      mutant,
      cases(
        mutant,
        plays.filter((played) => !isKnown(played)),
      ),
    );
  }

  async function killerIn(mutant: Mutant, records: AsyncIterable<Case>): Promise<string | undefined> {
    for await (const of of records) {
      const bad = await findKiller(mutant, of, judge, good);
      if (bad && (await isClean(of))) return `${bad.case}, after change ${bad.point}: ${bad.problem}`;
    }
    return undefined;
  }

  /** The records of the runs, then those of the runs after a process died. */
  async function* cases(mutant: Mutant, of: readonly Played[]): AsyncGenerator<Case> {
    for (const played of of) yield played.case;
    for (const played of of.toSorted((one, other) => rankOf(one) - rankOf(other))) yield* afterKills(mutant, played);
  }

  function functionOf(mutant: Mutant): string | undefined {
    for (const { case: of } of plays)
      for (const change of of.changes)
        if (without(change.site).name === mutant.name) return `${change.site.split(':')[0]} ${change.within[0]}`;
    return undefined;
  }

  async function* afterKills(mutant: Mutant, played: Played): AsyncGenerator<Case> {
    if (SCENARIOS[plays.indexOf(played)]?.large) return;
    for (let point = -1; point < played.case.changes.length; point++) {
      const of = await killedAfter(played, point);
      if (mutant.mutate(of.changes)) yield of;
    }
  }

  async function killedAfter(played: Played, point: number): Promise<Case> {
    const name = `${played.case.name} ${point}`;
    const of = killed.get(name) ?? (await afterKill(played, point));
    killed.set(name, of);
    return of;
  }

  /** A record with bad states of its own proves nothing against its mutants. */
  async function isClean(of: Case): Promise<boolean> {
    const known = clean.get(of.name);
    if (known !== undefined) return known;
    const { bad } = await enumerate(of, judge, { judged: new Set(), stopAtFirst: true });
    clean.set(of.name, bad.length === 0);
    return bad.length === 0;
  }
});

function rankOf({ case: { name } }: Played): number {
  const rank = FIRST.indexOf(name);
  return rank < 0 ? FIRST.length : rank;
}
