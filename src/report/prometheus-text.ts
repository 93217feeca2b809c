/**
 * Texts in Prometheus' format as one: the samples of a metric stand together, below one HELP and one TYPE. The texts are from
 * this program: each metric begins with its HELP.
 */
export function joinPrometheus(texts: readonly string[]): string {
  const samples = new Map<string, string>();
  for (const block of texts.flatMap((text) => text.split(/^(?=# HELP )/m))) {
    const head = /^(?:# .*\n)*/.exec(block)?.[0] ?? '';
    samples.set(head, (samples.get(head) ?? '') + block.slice(head.length));
  }
  return [...samples].map(([head, lines]) => head + lines).join('');
}
