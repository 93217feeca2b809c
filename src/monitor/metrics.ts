import { processFigures } from '../io/process-figures.js';
import { gauge, type Known, labelled, type Metric, renderMetrics } from '../report/exposition.js';
import { standingMetrics } from '../report/prometheus.js';
import type { Monitored, RoundFigures } from './monitored.js';
import type { Snapshot } from './snapshot.js';

/** The figures of a watch in Prometheus' text format. Every sample of a storage has the labels `storage` and `slave`. */
export function renderWatchMetrics(monitored: Monitored, snapshot: Snapshot): string {
  return renderMetrics([
    ...watchMetrics(monitored),
    ...snapshot.storages.flatMap(({ storage, standing }) => {
      const labels = { storage: storage.name, slave: storage.slave };
      const readable = gauge(
        'syncpozo_status_readable',
        "Whether the slave's own files could be read; if not, the figures that stand in them are left out.",
        Number(standing !== undefined),
      );
      const ofStanding = standing ? standingMetrics(standing, snapshot.takenAt) : [];
      return labelled(labels, [readable, ...ofStanding, ...roundMetrics(storage.figures)]);
    }),
  ]);
}

function watchMetrics({ version, startedAt, intervalSeconds }: Monitored): readonly Metric[] {
  const { residentBytes, cpuSeconds, openDescriptors } = processFigures();
  return [
    ...labelled({ version }, [gauge('syncpozo_build_info', 'The version of syncpozo that runs the watch.', 1)]),
    gauge('syncpozo_watch_interval_seconds', 'How often the watch checks.', intervalSeconds),
    gauge('process_start_time_seconds', 'When the watch began.', seconds(startedAt)),
    gauge('process_resident_memory_bytes', 'Memory of the process.', residentBytes),
    gauge('process_open_fds', 'Open file descriptors of the process.', openDescriptors),
    counter('process_cpu_seconds_total', 'Processor time of the process.', cpuSeconds),
  ];
}

function roundMetrics(figures: RoundFigures): readonly Metric[] {
  const { last } = figures;
  return [
    counters('syncpozo_rounds_total', 'Checks and rounds that have ended.', 'action', figures.rounds),
    counters('syncpozo_faults_total', 'Rounds that failed, by the kind of trouble.', 'kind', figures.faults),
    counter('syncpozo_refusals_total', 'Rounds that were refused.', figures.rounds['refused'] ?? 0),
    counter('syncpozo_copied_bytes_total', 'Bytes copied from the master.', figures.copiedBytes),
    counter('syncpozo_copied_transactions_total', 'Transactions copied from the master.', figures.copiedTransactions),
    counter('syncpozo_copied_blobs_total', 'Blobs copied from the master.', figures.copiedBlobs),
    counter('syncpozo_copied_blob_bytes_total', 'Bytes of the blobs copied from the master.', figures.copiedBlobBytes),
    counter('syncpozo_scrubbed_bytes_total', 'Bytes that the scrub has read again.', figures.scrubbedBytes),
    counter('syncpozo_scrubbed_bad_total', 'Wrong pieces that the scrub has found.', figures.scrubbedBad),
    counters('syncpozo_phase_seconds_total', 'Time spent in rounds.', 'phase', figures.phaseSeconds),
    gauge('syncpozo_last_round_time_seconds', 'When the last check or round ended.', seconds(last?.endedAt)),
    gauge(
      'syncpozo_last_round_duration_seconds',
      'How long it took.',
      last && Math.max(0, last.endedAt - last.beganAt) / 1000,
    ),
    gauge('syncpozo_last_round_exit_code', 'Exit status that it would have had as a sync.', last?.exitCode),
    gauge(
      'syncpozo_in_step_as_of_time_seconds',
      'What the master had committed before is on the slave.',
      seconds(figures.inStepAsOf),
    ),
    gauge('syncpozo_running_since_time_seconds', 'Since when a round has been running.', seconds(figures.runningSince)),
    gauge('syncpozo_hung_reads', 'Reads of the master that were given up and still hang.', figures.hungReads),
    gauge('syncpozo_hung_since_time_seconds', 'Since when a read of the master has hung.', seconds(figures.hungSince)),
  ];
}

function counter(name: string, help: string, value: Known): Metric {
  return { name, help, type: 'counter', samples: [{ value }] };
}

function counters(name: string, help: string, label: string, values: Readonly<Record<string, number>>): Metric {
  const samples = Object.entries(values).map(([key, value]) => ({ labels: { [label]: key }, value }));
  return { name, help, type: 'counter', samples };
}

function seconds(moment: number | undefined): Known {
  return moment === undefined ? undefined : moment / 1000;
}
