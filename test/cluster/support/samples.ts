import { readFileSync } from 'node:fs';

/** One host, as it is seen from outside: its own kernel tables, its own disk. */
export interface HostSample {
  readonly alive: boolean;
  /** A socket listens on ZEO's port. */
  readonly zeo: boolean;
  /** The floating address is one of its addresses. */
  readonly address: boolean;
  /** What Data.fs.role says; `plain`: there is none. */
  readonly role: string;
  readonly term: number;
}

export interface Sample {
  readonly t: number;
  /** Which host's network card answered for the floating address with ZEO's greeting; `none`: nobody has. */
  readonly answers: string;
  readonly hosts: Readonly<Record<string, HostSample>>;
}

/** What sampler-main.ts needs to know; it reads the file afresh for each sample, because a boot changes `pid`. */
export interface SamplerSettings {
  readonly address: string;
  readonly port: number;
  /** In the host. */
  readonly role: string;
  readonly hosts: Readonly<Record<string, { readonly pid: number; readonly mac: string }>>;
}

export interface Span {
  readonly from: number;
  readonly to: number;
}

/** Seconds. */
export function length(span: Span): number {
  return span.to - span.from;
}

/** What was observed from the router over a time. */
export class Observed {
  constructor(readonly samples: readonly Sample[]) {}

  static read(file: string): Observed {
    const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1);
    return new Observed(lines.map((line) => JSON.parse(line) as Sample));
  }

  between(from: number, to = Number.POSITIVE_INFINITY): Observed {
    return new Observed(this.samples.filter((sample) => sample.t >= from && sample.t <= to));
  }

  /** The spans in which `holds` was true in every sample. */
  spans(holds: (sample: Sample) => boolean): readonly Span[] {
    const found: Span[] = [];
    let from: number | undefined;
    for (const sample of this.samples) {
      const held = holds(sample);
      if (held) from ??= sample.t;
      if (!held && from !== undefined) found.push({ from, to: sample.t });
      if (!held) from = undefined;
    }
    const last = this.samples.at(-1);
    if (from !== undefined && last !== undefined) found.push({ from, to: last.t });
    return found;
  }

  /** How long nobody answered at the floating address, the longest time. */
  longestSilence(): number {
    return Math.max(0, ...this.spans((sample) => sample.answers === 'none').map(length));
  }

  /** The times in which this host's ZEO could be reached, by whoever has a way to it. */
  served(host: string): readonly Span[] {
    return this.spans(({ hosts }) => hosts[host]?.zeo === true);
  }

  /** The times in which both hosts had ZEO and the floating address. */
  bothServed(): readonly Span[] {
    return this.spans(({ hosts }) => Object.values(hosts).every((host) => host.zeo && host.address));
  }

  /** The times in which a host's ZEO listened although its own disk said that it must not serve. */
  servedAgainstItsRole(): readonly (Span & { readonly host: string })[] {
    const names = Object.keys(this.samples[0]?.hosts ?? {});
    const must = new Set(['superseded', 'rejoining', 'slave']);
    return names.flatMap((host) =>
      this.spans(({ hosts }) => {
        const seen = hosts[host];
        return seen?.zeo === true && must.has(seen.role);
      }).map((span) => ({ ...span, host })),
    );
  }

  /** When the role of a host was seen to become `role`; undefined: never. */
  became(host: string, role: string): number | undefined {
    return this.samples.find(({ hosts }) => hosts[host]?.role === role)?.t;
  }

  /** One line for each change, for people. */
  timeline(since: number): string {
    let last = '';
    const lines: string[] = [];
    for (const { t, answers, hosts } of this.samples) {
      const sides = Object.entries(hosts).map(([name, host]) => {
        if (!host.alive) return `${name} off`;
        const parts = [
          host.role,
          `term ${host.term}`,
          ...(host.zeo ? ['ZEO'] : []),
          ...(host.address ? ['ADDRESS'] : []),
        ];
        return `${name} ${parts.join(' ')}`;
      });
      const line = `answers: ${answers.padEnd(4)} | ${sides.join(' | ')}`;
      if (line !== last) lines.push(`${(t - since).toFixed(1).padStart(7)} s  ${line}`);
      last = line;
    }
    return lines.join('\n');
  }
}
