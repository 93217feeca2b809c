import { healthOf, parseQuestion } from './health.js';
import { CHECKS } from './judgement.js';
import { renderWatchMetrics } from './metrics.js';
import type { Monitored } from './monitored.js';
import { PAGE, PAGE_POLICY } from './page.js';
import type { Snapshot, Snapshots } from './snapshot.js';
import { statusJson } from './status-json.js';
import type { Target } from './target.js';
import type { Views } from './views.js';

export interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: Buffer;
  /** Content-Security-Policy; undefined: nothing may be loaded. */
  readonly policy?: string;
}

const HTML = 'text/html; charset=utf-8';
const JSON_TYPE = 'application/json; charset=utf-8';
/** The type of the text format; Prometheus wants the version. */
const METRICS = 'text/plain; version=0.0.4; charset=utf-8';

/** The answers to requests. What is the same for every request of a snapshot is made once. */
export class Answers {
  private readonly made = new Map<string, { readonly snapshot: Snapshot; readonly answer: Answer }>();

  constructor(
    private readonly monitored: Monitored,
    private readonly snapshots: Snapshots,
    private readonly views: Views,
  ) {}

  async to({ path, query }: Target): Promise<Answer> {
    if (path === '/') return { status: 200, type: HTML, body: PAGE, policy: PAGE_POLICY };
    if (path === '/metrics') {
      const text = (snapshot: Snapshot): string => renderWatchMetrics(this.monitored, snapshot);
      return this.once(path, METRICS, text);
    }
    if (path === '/status.json') {
      const json = (snapshot: Snapshot): string => lineOf(statusJson(this.monitored, snapshot, this.views));
      return this.once(path, JSON_TYPE, json);
    }
    const check = CHECKS.find((name) => path === `/${name}`);
    if (check === undefined) return errorAnswer(404, 'there is no such page');
    const question = parseQuestion(check, query);
    if ('mistake' in question) return errorAnswer(400, question.mistake);
    const health = healthOf(question, this.monitored, await this.snapshots.current(), this.views);
    if (!health) return errorAnswer(404, 'there is no such storage');
    return { status: health.ok ? 200 : 503, type: JSON_TYPE, body: Buffer.from(lineOf(health)) };
  }

  private async once(path: string, type: string, render: (snapshot: Snapshot) => string): Promise<Answer> {
    const snapshot = await this.snapshots.current();
    const made = this.made.get(path);
    if (made?.snapshot === snapshot) return made.answer;
    const answer = { status: 200, type, body: Buffer.from(render(snapshot)) };
    this.made.set(path, { snapshot, answer });
    return answer;
  }
}

export function errorAnswer(status: number, error: string): Answer {
  return { status, type: JSON_TYPE, body: Buffer.from(lineOf({ error })) };
}

function lineOf(value: object): string {
  return `${JSON.stringify(value)}\n`;
}
