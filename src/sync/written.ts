import { countTorn, damageOf } from '../pipeline/tail.js';
import { claim, type Work } from '../pipeline/work.js';
import { NOT_SCRUBBED } from '../scrub/round.js';
import type { Dat } from '../standby/dat.js';
import type { Written } from './append.js';
import type { Plan } from './facts.js';
import { masterOf, type Observed, type Outcome, observeSize } from './outcome.js';

/** The outcome of a plan that has written. Records a torn tail of the master in the `.dat`. */
export function written(plan: Plan, result: Written, observed: Observed, known: Dat | undefined, work: Work): Outcome {
  const { end, resume } = result;
  const dat = result.dat ?? known;
  const torn = end.kind === 'torn' ? countTorn(end, dat) : undefined;
  const changed =
    torn?.runs !== dat?.torn?.runs || torn?.position !== dat?.torn?.position || torn?.size !== dat?.torn?.size;
  if (dat && end.kind !== 'damaged' && changed)
    claim(work, resume, dat.master, dat.slaveInode, {
      copiedFrom: dat.copiedFrom,
      torn,
      blobs: dat.blobs,
    });
  // A rebuild from a damaged master changed nothing: the slave is what it was.
  const isReached = result.dat !== undefined || 'resume' in plan;
  return {
    plan,
    reached: isReached ? resume : undefined,
    master: masterOf(observed),
    slaveSize: observeSize(work.paths),
    end,
    damage: damageOf(end, torn, resume),
    sides: undefined,
    copied: result.copied,
    scrubbed: NOT_SCRUBBED,
  };
}
