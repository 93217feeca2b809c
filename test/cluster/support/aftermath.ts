import assert from 'node:assert/strict';
import type { Host } from './host.js';
import { contentOf, judge, lostIn, oldestAge, type Verdict } from './oracle.js';
import type { Pair } from './pair.js';
import { isAnswered, type Noted, type Request } from './requests.js';
import { type HostSample, length, type Sample } from './samples.js';

/** What must hold after every scene, and what people want to know of it. */

/** Finds everything that was acknowledged: on the side that serves, or in a file of lost transactions of either side. */
export function account(pair: Pair, serving: Host, requests: readonly Request[], cut?: number): Verdict {
  const lost = pair.network.hosts.flatMap((host) => lostIn(pair.zeoOf(host)));
  const verdict = judge(requests, contentOf(pair.zeoOf(serving)), lost);
  const age = cut === undefined ? '' : `, the oldest ${oldestAge(verdict.lost, cut).toFixed(1)} s before the cut`;
  pair.say(`acknowledged ${verdict.acknowledged}, served ${verdict.served}, lost ${verdict.lost.length}${age}`);
  const nowhere = verdict.missing.map(({ id }) => id);
  assert.deepEqual(nowhere, [], `acknowledged, and neither on ${serving.name} nor in a file of lost transactions`);
  assert.deepEqual(
    verdict.altered.map(({ id, tid }) => `${id} ${tid}`),
    [],
    'acknowledged with a tid that the transaction does not have',
  );
  assert.deepEqual(
    verdict.withoutBlob.map(({ id }) => id),
    [],
    'acknowledged with a blob that is not there byte for byte',
  );
  assert.ok(verdict.acknowledged > 0, 'nothing was acknowledged: this scene proves nothing');
  return verdict;
}

/** For scenes that must lose something: one without a loss would prove nothing of what is done about it. */
export function assertLoss(verdict: Pick<Verdict, 'lost'>): void {
  assert.ok(verdict.lost.length > 0, 'nothing was lost: this scene proves nothing');
}

/** Prints what the visitors saw; returns the requests that failed although they were begun after `moment`. */
export function failures<Note extends Noted>(pair: Pair, requests: readonly Note[], moment: number): readonly Note[] {
  const failed = requests.filter((request) => !isAnswered(request) && request.end > moment);
  const later = failed.filter(({ start }) => start > moment);
  pair.say(`failed requests: ${failed.length - later.length} in flight, ${later.length} begun later`);
  for (const { kind, start, end, status, error } of later.slice(0, 5))
    pair.say(
      `  ${kind} at ${(start - moment).toFixed(1)} s, for ${(end - start).toFixed(1)} s: ${status} ${error ?? ''}`,
    );
  return later;
}

/** Seconds that a host needs to notice that its role has been taken, and to stop ZEO. */
const NOTICES_WITHIN = 10;

/** Nobody served for long against the role on its own disk. */
export function assertNobodyServedAgainstItsRole(pair: Pair, from: number): void {
  const observed = pair.observed.between(from);
  for (const span of observed.servedAgainstItsRole()) {
    pair.say(`${span.host}: ZEO ran for ${length(span).toFixed(1)} s against its role`);
    assert.ok(length(span) < NOTICES_WITHIN, `${span.host} went on serving`);
  }
  const longest = observed.longestSilence();
  const both = observed.bothServed().map(length);
  pair.say(
    `nobody answered for ${longest.toFixed(1)} s; both had ZEO and address for ${Math.max(0, ...both).toFixed(1)} s`,
  );
}

/** How a takeover by this host went on, after the cut or the command that began it. */
export function phases(pair: Pair, host: Host, began: number): void {
  const after = pair.observed.between(began).samples;
  const first = (holds: (sample: Sample, seen: HostSample | undefined) => boolean): string => {
    const found = after.find((sample) => holds(sample, sample.hosts[host.name]))?.t;
    return found === undefined ? 'never' : `${(found - began).toFixed(1)} s`;
  };
  const promoted = first((_, seen) => seen?.role === 'master');
  const zeo = first((_, seen) => seen?.zeo === true);
  const address = first((_, seen) => seen?.address === true);
  const answers = first((sample) => sample.answers === host.name);
  pair.say(`${host.name}: promoted ${promoted}, ZEO ${zeo}, address ${address}, answers ${answers}`);
}
