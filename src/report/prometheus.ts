import { SLAVE_STATES, type Standing } from './standing.js';

/** null and undefined mean not known. */
type Known = number | null | undefined;

/** One metric: its samples, keyed by their own labels. A metric without samples is not known and is omitted. */
interface Metric {
  readonly name: string;
  readonly help: string;
  readonly samples: readonly { readonly labels?: Readonly<Record<string, string>>; readonly value: Known }[];
}

const ROLES = ['slave', 'promoted', 'none', 'rejoining', 'superseded', 'unreadable'] as const;
const HOLDERS = ['nobody', 'syncpozo', 'another program'] as const;

/**
 * The standing in Prometheus' text format, for node_exporter's textfile collector. Every sample has the slave's path as
 * a label, so that one directory can hold the files of several slaves. Times are seconds since the epoch.
 *
 * @param now milliseconds since the epoch
 */
export function renderPrometheus(standing: Standing, now: number): string {
  return metricsOf(standing, now)
    .map(({ name, help, samples }) => {
      const lines = samples
        .filter(({ value }) => typeof value === 'number')
        .map(({ labels, value }) => `${name}{${renderLabels({ slave: standing.slave, ...labels })}} ${value}\n`);
      return lines.length === 0 ? '' : `# HELP ${name} ${help}\n# TYPE ${name} gauge\n${lines.join('')}`;
    })
    .join('');
}

function metricsOf(standing: Standing, now: number): readonly Metric[] {
  const { claim, master, lag, lastOutcome, keptAside } = standing;
  const single = (name: string, help: string, value: Known): Metric => ({ name, help, samples: [{ value }] });
  const oneOf = (name: string, help: string, label: string, all: readonly string[], is: string): Metric => ({
    name,
    help,
    samples: all.map((value) => ({ labels: { [label]: value }, value: Number(value === is) })),
  });
  return [
    single('syncpozo_status_time_seconds', 'When these figures were taken.', now / 1000),
    oneOf(
      'syncpozo_role',
      'The role that the .dat gives the slave: 1 for the one it has.',
      'role',
      ROLES,
      standing.role,
    ),
    oneOf(
      'syncpozo_state',
      'What the situation of the slave comes to: 1 for the state that it is in.',
      'state',
      SLAVE_STATES,
      standing.state,
    ),
    single(
      'syncpozo_trouble_since_time_seconds',
      'When the trouble began that the state names.',
      secondsOf(standing.since),
    ),
    single(
      'syncpozo_last_outcome_time_seconds',
      'When the last run ended that decided something.',
      secondsOf(lastOutcome?.time),
    ),
    single('syncpozo_last_outcome_exit_code', 'Exit status of that run.', lastOutcome?.exitCode),
    single('syncpozo_switch_on', 'Whether the status file lets syncs run.', Number(standing.switch === 'on')),
    oneOf(
      'syncpozo_locked_by',
      'Who holds the lock of the slave: 1 for the one who does.',
      'holder',
      HOLDERS,
      standing.lockedBy,
    ),
    single('syncpozo_size_bytes', 'Size of the slave.', standing.size),
    single('syncpozo_dat_usable', 'Whether there is a .dat that describes the slave.', Number(claim !== null)),
    single('syncpozo_claim_bytes', 'Up to where the slave is known to equal the master.', claim?.position),
    single(
      'syncpozo_claim_transaction_time_seconds',
      'Time of the last transaction that the slave is known to have.',
      secondsOf(claim?.time),
    ),
    single('syncpozo_blobs', 'Blobs of the claim in the blob directory of the slave.', standing.blobs?.count),
    single('syncpozo_blobs_bytes', 'Size of these blobs.', standing.blobs?.bytes),
    single(
      'syncpozo_blobs_missing',
      'Blobs that transactions name and that the master did not have.',
      standing.blobs?.missing,
    ),
    single(
      'syncpozo_blobs_last_full_scrub_time_seconds',
      'When the last full round of the scrub through the blobs ended.',
      secondsOf(standing.blobs?.lastFullScrub),
    ),
    single('syncpozo_last_sync_time_seconds', 'When a sync last ended in step.', secondsOf(standing.lastSync)),
    single(
      'syncpozo_last_full_scrub_time_seconds',
      'When the last full round of the scrub ended.',
      secondsOf(standing.lastFullScrub),
    ),
    single('syncpozo_master_readable', 'Whether the master could be read.', master && Number(master.problem === null)),
    single(
      'syncpozo_lag_seconds',
      'Age of the oldest transaction of the master that the slave lacks; 0 without any.',
      lag?.seconds,
    ),
    single('syncpozo_lag_transactions', 'Transactions of the master that the slave lacks.', lag?.transactions),
    single('syncpozo_lag_bytes', 'Bytes of the master that the slave lacks.', lag?.bytes),
    single(
      'syncpozo_kept_aside_files',
      'Old slaves that rebuilds have kept for a person to look into.',
      keptAside.length,
    ),
    {
      name: 'syncpozo_kept_aside_bytes',
      help: 'Size of each old slave that was kept.',
      samples: keptAside.map(({ path, size }) => ({ labels: { path }, value: size })),
    },
    {
      name: 'syncpozo_kept_aside_written_time_seconds',
      help: 'When each old slave that was kept was last written.',
      samples: keptAside.map(({ path, written }) => ({ labels: { path }, value: secondsOf(written) })),
    },
  ];
}

function secondsOf(iso: string | null | undefined): Known {
  return iso ? Date.parse(iso) / 1000 : null;
}

const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '"': '\\"', '\n': '\\n' };

function renderLabels(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}="${value.replace(/[\\"\n]/g, (character) => ESCAPES[character] ?? character)}"`)
    .join(',');
}
