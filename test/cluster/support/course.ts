import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { failures, phases } from './aftermath.js';
import type { Host } from './host.js';
import { type Pair, seconds } from './pair.js';
import type { Request } from './requests.js';

/** Courses of events of which several scenes consist. Each begins with a host that serves and a slave in step. */

export function serving(pair: Pair): Host {
  const name = pair.observed.samples.at(-1)?.answers;
  const host = pair.network.hosts.find((candidate) => candidate.name === name);
  assert.ok(host !== undefined, 'nobody serves');
  return host;
}

export interface Course {
  /** When it was done. */
  readonly began: number;
  readonly requests: readonly Request[];
}

/** Visitors come; `hurt` is done to the host that serves; the other one must take over, and commit. */
export async function takenOver(pair: Pair, hurt: (host: Host) => Promise<void>): Promise<Course> {
  const from = serving(pair);
  const to = pair.other(from);
  const visitors = pair.load({ timeoutMs: 15_000 });
  await sleep(3000);
  const began = seconds();
  await hurt(from);
  await pair.until(`${to.name} answers`, ({ answers }) => answers === to.name, 90);
  await pair.firstCommit(visitors, seconds());
  phases(pair, to, began);
  await sleep(2000);
  const requests = await visitors.end();
  failures(pair, requests, began);
  return { began, requests };
}

/** Visitors come; what `hurt` does must not move anything to the other host; the site must commit after it. */
export async function survived(pair: Pair, hurt: (host: Host) => Promise<void>): Promise<Course> {
  const host = serving(pair);
  const visitors = pair.load({ timeoutMs: 15_000 });
  await sleep(2000);
  const began = seconds();
  await hurt(host);
  await pair.firstCommit(visitors, seconds());
  await sleep(3000);
  const requests = await visitors.end();
  failures(pair, requests, began);
  await pair.until(`${host.name} answers`, ({ answers }) => answers === host.name, 30);
  return { began, requests };
}

/** The way back of a host that was taken over and runs. */
export async function wayBack(pair: Pair, host: Host): Promise<void> {
  await pair.until(
    `${host.name} knows that it was superseded`,
    ({ hosts }) => hosts[host.name]?.role === 'superseded',
    90,
  );
  await pair.rejoin(host);
  await pair.inStep(host);
  await pair.managed(host);
}
