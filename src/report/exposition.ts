/** A value that is null or undefined is not known, and its sample is left out. */
export type Known = number | null | undefined;
export type Labels = Readonly<Record<string, string>>;

/** One metric of Prometheus: a name, and its samples by their labels. */
export interface Metric {
  readonly name: string;
  readonly help: string;
  readonly type: 'gauge' | 'counter';
  readonly samples: readonly { readonly labels?: Labels; readonly value: Known }[];
}

export function gauge(name: string, help: string, value: Known): Metric {
  return { name, help, type: 'gauge', samples: [{ value }] };
}

/** A gauge for each of several words: 1 for the one that applies. */
export function oneOf(name: string, help: string, label: string, all: readonly string[], is: string): Metric {
  const samples = all.map((value) => ({ labels: { [label]: value }, value: Number(value === is) }));
  return { name, help, type: 'gauge', samples };
}

/** The same metrics, with further labels that come first. */
export function labelled(labels: Labels, metrics: readonly Metric[]): Metric[] {
  return metrics.map((metric) => ({
    ...metric,
    samples: metric.samples.map(({ labels: own, value }) => ({ labels: { ...labels, ...own }, value })),
  }));
}

/**
 * Metrics in Prometheus' text format. The samples of metrics with the same name stand together below one HELP and one TYPE. A
 * metric without a known sample is left out.
 */
export function renderMetrics(metrics: readonly Metric[]): string {
  const blocks = new Map<string, string[]>();
  for (const { name, help, type, samples } of metrics) {
    const lines = samples.flatMap(({ labels, value }) =>
      typeof value === 'number' ? [`${name}${renderLabels(labels ?? {})} ${value}\n`] : [],
    );
    const block = blocks.get(name) ?? [`# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`];
    block.push(...lines);
    blocks.set(name, block);
  }
  return [...blocks.values()].flatMap((block) => (block.length > 1 ? block : [])).join('');
}

const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '"': '\\"', '\n': '\\n' };

function renderLabels(labels: Labels): string {
  const all = Object.entries(labels).map(
    ([name, value]) => `${name}="${value.replace(/[\\"\n]/g, (character) => ESCAPES[character] ?? character)}"`,
  );
  return all.length === 0 ? '' : `{${all.join(',')}}`;
}
