import { gauge, type Known, labelled, type Metric, oneOf, renderMetrics } from './exposition.js';
import { SLAVE_STATES, type Standing } from './standing.js';

const ROLES = ['slave', 'promoted', 'none', 'rejoining', 'superseded', 'unreadable'] as const;
const HOLDERS = ['nobody', 'syncpozo', 'another program'] as const;

/**
 * The standing in Prometheus' text format, for node_exporter's textfile collector. Every sample has the slave's path as
 * a label, so that one directory can hold the files of several slaves. Times are seconds since the epoch.
 *
 * @param now milliseconds since the epoch
 */
export function renderPrometheus(standing: Standing, now: number): string {
  return renderMetrics(labelled({ slave: standing.slave }, standingMetrics(standing, now)));
}

/** The metrics of one standing, without the labels that name the slave. */
export function standingMetrics(standing: Standing, now: number): readonly Metric[] {
  const { claim, master, lag, lastOutcome, keptAside, keptPacked } = standing;
  return [
    gauge('syncpozo_status_time_seconds', 'When these figures were taken.', now / 1000),
    oneOf(
      'syncpozo_role',
      'The role that the .dat gives the slave: 1 for the one it has.',
      'role',
      ROLES,
      standing.role,
    ),
    gauge(
      'syncpozo_term',
      'The highest term in which something may have been committed, as far as this side knows.',
      standing.term,
    ),
    oneOf(
      'syncpozo_state',
      'What the situation of the slave comes to: 1 for the state that it is in.',
      'state',
      SLAVE_STATES,
      standing.state,
    ),
    gauge(
      'syncpozo_trouble_since_time_seconds',
      'When the trouble began that the state names.',
      secondsOf(standing.since),
    ),
    gauge(
      'syncpozo_last_outcome_time_seconds',
      'When the last run ended that decided something.',
      secondsOf(lastOutcome?.time),
    ),
    gauge('syncpozo_last_outcome_exit_code', 'Exit status of that run.', lastOutcome?.exitCode),
    gauge('syncpozo_switch_on', 'Whether the status file lets syncs run.', Number(standing.switch === 'on')),
    oneOf(
      'syncpozo_locked_by',
      'Who holds the lock of the slave: 1 for the one who does.',
      'holder',
      HOLDERS,
      standing.lockedBy,
    ),
    gauge('syncpozo_size_bytes', 'Size of the slave.', standing.size),
    gauge('syncpozo_dat_usable', 'Whether there is a .dat that describes the slave.', Number(claim !== null)),
    gauge('syncpozo_claim_bytes', 'Up to where the slave is known to equal the master.', claim?.position),
    gauge(
      'syncpozo_claim_transaction_time_seconds',
      'Time of the last transaction that the slave is known to have.',
      secondsOf(claim?.time),
    ),
    gauge('syncpozo_blobs', 'Blobs of the claim in the blob directory of the slave.', standing.blobs?.count),
    gauge('syncpozo_blobs_bytes', 'Size of these blobs.', standing.blobs?.bytes),
    gauge(
      'syncpozo_blobs_usable',
      'Whether the blob directory of the slave is there, and not empty.',
      standing.blobs && Number(standing.blobs.problem === null),
    ),
    gauge(
      'syncpozo_blobs_missing',
      'Blobs that transactions name and that the master did not have.',
      standing.blobs?.missing,
    ),
    gauge(
      'syncpozo_blobs_last_full_scrub_time_seconds',
      'When the last full round of the scrub through the blobs ended.',
      secondsOf(standing.blobs?.lastFullScrub),
    ),
    gauge('syncpozo_last_sync_time_seconds', 'When a sync last ended in step.', secondsOf(standing.lastSync)),
    gauge(
      'syncpozo_last_full_scrub_time_seconds',
      'When the last full round of the scrub ended.',
      secondsOf(standing.lastFullScrub),
    ),
    gauge('syncpozo_master_readable', 'Whether the master could be read.', master && Number(master.problem === null)),
    gauge(
      'syncpozo_lag_seconds',
      'Age of the oldest transaction of the master that the slave lacks; 0 without any.',
      lag?.seconds,
    ),
    gauge('syncpozo_lag_transactions', 'Transactions of the master that the slave lacks.', lag?.transactions),
    gauge('syncpozo_lag_bytes', 'Bytes of the master that the slave lacks.', lag?.bytes),
    gauge(
      'syncpozo_kept_aside_files',
      'Old slaves that rebuilds have kept for a person to look into.',
      keptAside.length,
    ),
    gauge('syncpozo_kept_packed_files', 'Slaves from before a pack that --keep-packed has kept.', keptPacked.length),
    gauge(
      'syncpozo_kept_packed_bytes',
      'Size of all slaves from before a pack that --keep-packed has kept.',
      keptPacked.reduce((sum, { size }) => sum + size, 0),
    ),
    {
      name: 'syncpozo_kept_aside_bytes',
      help: 'Size of each old slave that was kept.',
      type: 'gauge',
      samples: keptAside.map(({ path, size }) => ({ labels: { path }, value: size })),
    },
    {
      name: 'syncpozo_kept_aside_written_time_seconds',
      help: 'When each old slave that was kept was last written.',
      type: 'gauge',
      samples: keptAside.map(({ path, written }) => ({ labels: { path }, value: secondsOf(written) })),
    },
  ];
}

/** A time in ISO 8601 as seconds since the epoch. */
export function secondsOf(iso: string | null | undefined): Known {
  return iso ? Date.parse(iso) / 1000 : null;
}
