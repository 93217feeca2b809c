import { formatTid, tidToIso } from '../filestorage/tid.js';
import { formatCount } from '../report/numbers.js';
import { lastTerm } from '../standby/role.js';
import type { RejoinPlan } from './plan.js';
import type { Serving } from './serving.js';

interface Names {
  readonly master: { readonly path: string; readonly size: number };
  readonly slave: string;
  readonly keepSwitch: boolean;
}

/** What is going to be done, a line for each step. */
export function explain(plan: RejoinPlan, serving: Serving, names: Names): string[] {
  const { master, slave, keepSwitch } = names;
  const { kind, fork, isRewound } = plan;
  const term = serving.role ? `term ${lastTerm(serving.role)}` : 'no term: syncpozo never promoted it';
  const lines = [`MASTER, which serves: ${master.path} (${term})`, `SLAVE, the old master: ${slave}`];
  if (fork && fork.resume.tid !== 0n) {
    const { position, tid } = fork.resume;
    const last = `transaction ${formatTid(tid)} of ${tidToIso(tid) ?? 'an unknown time'}`;
    lines.push(`both are the same up to position ${position}, ${last}; known ${fork.how}`);
  }
  if (kind === 'none') return [...lines, 'SLAVE is a slave already, and has nothing of its own'];
  if (isRewound) lines.push('an earlier run of this rejoin has rewound SLAVE; this one goes on from there');
  const steps = [...keeping(plan), ...changing(plan, names), ...becoming(keepSwitch)];
  return [...lines, ...steps.map((step, index) => `${index + 1}. ${step}`)];
}

function keeping({ here }: RejoinPlan): string[] {
  if (!here || here.transactions === 0) return [];
  const { transactions, objects, firstTid, lastTid } = here;
  const what = `${formatCount(transactions, 'transaction')} with ${formatCount(objects, 'object')} that only SLAVE has`;
  return [`keep ${what}, in lost-${formatTid(firstTid)}-${formatTid(lastTid)}.fs beside it, and a report`];
}

function changing({ kind, fork, here, isRewound }: RejoinPlan, { master }: Names): string[] {
  if (kind === 'full')
    return [
      `copy all of MASTER: ${formatCount(master.size, 'byte')}; the old file is kept aside unless all of it is MASTER's`,
    ];
  const position = fork?.resume.position ?? 0;
  const cut = here ? here.end - here.from + here.rest : 0;
  const steps: string[] = [];
  if (cut > 0 && !isRewound) {
    const rest =
      here && here.rest > 0 ? ` (${formatCount(here.rest, 'byte')} behind its last transaction go to a .tr file)` : '';
    steps.push(`cut ${formatCount(cut, 'byte')} off SLAVE, back to position ${position}${rest}`);
  }
  const bytes = Math.max(0, master.size - position);
  return [...steps, `copy ${formatCount(bytes, 'byte')} from MASTER, and what it commits meanwhile`];
}

function becoming(keepSwitch: boolean): string[] {
  return [`give SLAVE the role of a slave${keepSwitch ? '; the switch stays as it is' : ', and set the switch on'}`];
}
