import { formatCount, formatSeconds, renderLag } from './numbers.js';
import { visible } from './quote.js';
import { formatBytes } from './size.js';

/** The state of a slave. */
export const SLAVE_STATES = [
  'in-step',
  'behind',
  'never-synced',
  'refused',
  /** Refused, and each side has transactions that the other lacks. */
  'forked',
  'damaged',
  'cut-short',
  'out-of-reach',
  'in-use',
  'fault',
  'promoted',
  'unknown',
] as const;
export type SlaveState = (typeof SLAVE_STATES)[number];

/** The JSON object of `syncpozo status --json`. Fields are only ever added. null: not known. */
export interface Standing {
  readonly slave: string;
  readonly role: 'slave' | 'promoted' | 'none' | 'rejoining' | 'superseded' | 'unreadable';
  /** Why the role is unknown. */
  readonly roleProblem: string | null;
  /**
   * The highest term in which something may have been committed, as far as this side knows; 0: none; null: not known.
   */
  readonly term: number | null;
  readonly state: SlaveState;
  /** When the trouble of this state began, and the reason for the state. */
  readonly since: string | null;
  readonly stateReason: string | null;
  /** How the last run that reached a decision ended. */
  readonly lastOutcome: {
    readonly time: string;
    readonly exitCode: number;
    readonly action: string;
    readonly reason: string;
  } | null;
  readonly switch: 'on' | 'off';
  readonly statusFile: string;
  readonly lockedBy: 'nobody' | 'syncpozo' | 'another program';
  readonly size: number | null;
  readonly claim: { readonly position: number; readonly tid: string; readonly time: string | null } | null;
  /** The blobs of the claim, and those that the master does not have. null: none are synced. */
  readonly blobs: {
    readonly directory: string;
    /** Why no blob can be in the directory: it is missing or empty. */
    readonly problem: string | null;
    readonly count: number;
    readonly bytes: number;
    readonly missing: number;
    /** When a scrub last finished a round through them. */
    readonly lastFullScrub: string | null;
  } | null;
  /** Why there is no claim. */
  readonly problem: string | null;
  /** When a sync last ended in step, and how long ago. */
  readonly lastSync: string | null;
  readonly ageSeconds: number | null;
  /** When a scrub last finished a round, and how long ago. */
  readonly lastFullScrub: string | null;
  readonly fullScrubAgeSeconds: number | null;
  readonly master: {
    readonly path: string;
    readonly problem: string | null;
    readonly lastTid: string | null;
    readonly lastTime: string | null;
  } | null;
  /** `seconds`: age of the oldest transaction of the master that the slave lacks; 0 when it lacks none. */
  /** Fields are null where a watch that is copying has not counted. */
  readonly lag: {
    readonly seconds: number | null;
    readonly transactions: number | null;
    readonly bytes: number | null;
  } | null;
  /** Why the lag is unknown, although a master was named. */
  readonly lagProblem: string | null;
  /** When a promoted slave was promoted, and its last transaction at that time. */
  readonly promoted: {
    readonly at: string;
    readonly position: number;
    readonly tid: string;
    readonly time: string | null;
  } | null;
  /** The moment that the slave and the others of its group were last brought to. null: no such moment is recorded. */
  readonly together: {
    readonly moment: string;
    /** All slaves of the group end there now, or did when they were promoted. */
    readonly isTogether: boolean;
    /** The slaves of the group, their last transaction at the moment, and the one now. */
    readonly members: readonly { readonly path: string; readonly atMoment: string; readonly now: string | null }[];
  } | null;
  /** Old files that rebuilds have kept beside the slave: each may hold transactions that exist nowhere else. */
  readonly keptAside: readonly StandingKept[];
  /** Old files that rebuilds have kept after packs (--keep-packed): they hold nothing that the master never had. */
  readonly keptPacked: readonly StandingKept[];
  /** The last events, oldest first. */
  readonly events: readonly StandingEvent[];
  /** What is wrong with their history. */
  readonly eventsProblem: string | null;
}

export interface StandingKept {
  readonly path: string;
  readonly size: number;
  /** Time of the last modification, and how long ago. */
  readonly written: string;
  readonly ageSeconds: number;
}

export interface StandingEvent {
  readonly name: string;
  readonly time: string;
  readonly storage: string | null;
  readonly slave: string;
  readonly message: string;
  readonly facts: Readonly<Record<string, string | number | boolean | null>>;
}

/** The text shows fewer events than the object has. */
const EVENTS_SHOWN = 5;

/** The text output: one line per fact. */
export function renderStanding(standing: Standing): string {
  const { claim, lag, lastOutcome, master, promoted } = standing;
  const rows: (readonly [string, string])[] = [
    ['slave', standing.slave],
    [
      'role',
      promoted
        ? `promoted, at ${promoted.at} with transaction ${promoted.tid} of ${promoted.time}`
        : standing.role + (standing.roleProblem === null ? '' : `: ${standing.roleProblem}`),
    ],
    ['term', String(standing.term ?? 'not known')],
    ['state', renderState(standing)],
    ['switch', `${standing.switch === 'on' ? 'SYNCING=1' : 'SYNCING=0'} (${standing.statusFile})`],
    ['locked by', standing.lockedBy],
    ['size', standing.size === null ? 'no file' : `${standing.size} (${formatBytes(standing.size)})`],
    [
      'claim',
      claim ? `${claim.position}, transaction ${claim.tid} of ${claim.time ?? 'no time'}` : `none: ${standing.problem}`,
    ],
    ...(standing.blobs ? ([['blobs', renderBlobs(standing.blobs)]] as const) : []),
    ['last sync', renderMoment(standing.lastSync, standing.ageSeconds, 'none in step is recorded')],
    ['last outcome', lastOutcome ? renderOutcome(lastOutcome) : 'none is recorded'],
    ['last full scrub', renderMoment(standing.lastFullScrub, standing.fullScrubAgeSeconds, 'never')],
  ];
  if (standing.together) rows.push(['together', renderTogether(standing.together)]);
  for (const kept of standing.keptAside)
    rows.push(['kept aside', `${kept.path}, ${formatBytes(kept.size)}, last written ${kept.written}`]);
  const { keptPacked } = standing;
  if (keptPacked.length > 0) {
    const bytes = formatBytes(keptPacked.reduce((sum, { size }) => sum + size, 0));
    rows.push([
      'kept from packs',
      `${formatCount(keptPacked.length, 'file')}, ${bytes}, newest ${keptPacked.at(-1)?.path}`,
    ]);
  }
  for (const { time, name, message } of standing.events.slice(-EVENTS_SHOWN))
    rows.push(['event', `${time}, ${name}: ${message}`]);
  if (standing.eventsProblem !== null) rows.push(['events', `not known: ${standing.eventsProblem}`]);
  if (master) {
    const last = master.lastTid ? `, last transaction ${master.lastTid} of ${master.lastTime ?? 'no time'}` : '';
    rows.push(['master', `${master.path}${master.problem ? `: ${master.problem}` : last}`]);
    rows.push(['lag', lag ? renderLag(lag) : `not known${standing.lagProblem ? `: ${standing.lagProblem}` : ''}`]);
  }
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, value]) => `${`${name}:`.padEnd(width + 2)}${visible(value)}\n`).join('');
}

function renderBlobs({
  directory,
  problem,
  count,
  bytes,
  missing,
  lastFullScrub,
}: NonNullable<Standing['blobs']>): string {
  const lost = missing > 0 ? `, ${missing} MISSING on the master` : '';
  const gone = problem === null ? '' : `, NOT THERE: ${problem}`;
  return `${directory}: ${formatCount(count, 'blob')}, ${formatBytes(bytes)}${lost}${gone}, last full scrub ${lastFullScrub ?? 'never'}`;
}

function renderTogether({ moment, isTogether, members }: NonNullable<Standing['together']>): string {
  const listed = members.map(({ path }) => path).join(', ');
  if (isTogether) return `as of ${moment}: ${listed}`;
  const moved = members.filter(({ atMoment, now }) => atMoment !== now);
  const ends = moved.map(
    ({ path, atMoment, now }) =>
      `${path} ended at ${atMoment} then, and ${now ? `ends at ${now}` : 'cannot be read'} now`,
  );
  return `NOT TOGETHER any more since ${moment}: ${ends.join('; ')}`;
}

/** `in step`, `refused since TIME: REASON`. */
export function renderState({ state, since, stateReason }: Pick<Standing, 'state' | 'since' | 'stateReason'>): string {
  return `${state.replaceAll('-', ' ')}${since ? ` since ${since}` : ''}${stateReason ? `: ${stateReason}` : ''}`;
}

function renderOutcome({ time, exitCode, action, reason }: NonNullable<Standing['lastOutcome']>): string {
  return `${time}, exit status ${exitCode}, ${action}${reason ? `: ${reason}` : ''}`;
}

function renderMoment(time: string | null, ageSeconds: number | null, never: string): string {
  return time === null ? never : `${time}${ageSeconds === null ? '' : `, ${formatSeconds(ageSeconds)} ago`}`;
}
