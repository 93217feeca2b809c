import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { everything, namesIn } from '../support/everything.js';
import { promtool } from '../support/monitor-tools.js';
import { get, served } from '../support/monitored.js';
import { withTempDir } from '../support/site.js';
import { scripts } from './shell.js';

/** What this test looks at; Grafana ignores what it does not know, and fills in what is missing. */
interface Dashboard {
  readonly title: string;
  readonly uid: string;
  readonly editable: boolean;
  readonly schemaVersion: number;
  readonly id?: number;
  readonly __inputs?: unknown;
  readonly templating: { readonly list: readonly Variable[] };
  readonly panels: readonly Panel[];
}

interface Variable {
  readonly name: string;
  readonly label: string;
  readonly type: string;
  readonly datasource?: { readonly uid: string };
  readonly definition?: string;
}

interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description: string;
  readonly datasource: { readonly type: string; readonly uid: string };
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly fieldConfig: { readonly defaults: { readonly unit: string } };
  readonly targets: readonly { readonly expr: string; readonly refId: string; readonly legendFormat: string }[];
}

const dashboard = JSON.parse(readFileSync(join(scripts, 'grafana', 'syncpozo.json'), 'utf8')) as Dashboard;
const expressions = dashboard.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr));

/** The rules of Grafana's own dashboard linter, which cannot be had from a registry. */
describe('the Grafana dashboard', () => {
  it('can be imported anywhere: no data source, id or host of one installation is in it', () => {
    assert.deepEqual([dashboard.title, dashboard.uid, dashboard.editable], ['syncpozo', 'syncpozo', false]);
    assert.equal(dashboard.id, undefined);
    assert.ok(dashboard.schemaVersion >= 36);
    const [source, ...variables] = dashboard.templating.list;
    assert.deepEqual([source?.name, source?.type, source?.label], ['datasource', 'datasource', 'Data source']);
    assert.deepEqual(
      variables.map(({ name }) => name),
      ['job', 'instance', 'storage'],
    );
    for (const { datasource } of [...variables, ...dashboard.panels]) assert.equal(datasource?.uid, `\${datasource}`);
  });

  it('has panels with a title, a description, a unit and a place of their own', () => {
    const taken = new Set<string>();
    const ids = dashboard.panels.map(({ id }) => id);
    assert.equal(new Set(ids).size, ids.length);
    for (const panel of dashboard.panels) {
      const { title, description, gridPos, fieldConfig, targets, type } = panel;
      assert.match(title, /^[A-Z]/);
      assert.match(description, /^[\s\S]{10,}\.$/, title);
      assert.ok(fieldConfig.defaults.unit, title);
      assert.ok(['stat', 'timeseries'].includes(type), title);
      assert.equal(new Set(targets.map(({ refId }) => refId)).size, targets.length, title);
      assert.ok(targets.length > 0 && targets.every(({ legendFormat }) => /\{\{\w+\}\}/.test(legendFormat)), title);
      assert.ok(gridPos.x >= 0 && gridPos.x + gridPos.w <= 24, title);
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++)
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          assert.ok(!taken.has(`${x} ${y}`), title);
          taken.add(`${x} ${y}`);
        }
    }
  });

  it('asks for the chosen job and instance, and takes rates of counters only', async (t) => {
    const { port } = await served(t, everything());
    const { text } = await get(port, '/metrics');
    const known = namesIn(text);
    const variables = dashboard.templating.list.map(({ definition = '' }) => definition);
    for (const [name] of [...expressions, ...variables].join(' ').matchAll(/\b(?:syncpozo|process)_\w+/g))
      assert.ok(known.has(name), name);
    for (const expr of expressions) {
      assert.match(expr, /\{job=~"\$job", instance=~"\$instance"/, expr);
      for (const [, inner = ''] of expr.matchAll(/\b(?:rate|increase)\((\w+)/g))
        assert.match(text, new RegExp(`^# TYPE ${inner} counter$`, 'm'), expr);
      for (const [name] of expr.matchAll(/\b\w+_total\b/g)) assert.match(expr, new RegExp(`(rate|increase)\\(${name}`));
      assert.doesNotMatch(expr, /\brate\(.*\[(?!\$__rate_interval\])/, expr);
    }
  });

  it('shows every figure of a watch that a person may want to see over time', async (t) => {
    const { port } = await served(t, everything());
    const counters = [...(await get(port, '/metrics')).text.matchAll(/^# TYPE (\S+) counter$/gm)];
    assert.ok(counters.length > 8);
    for (const [, name = ''] of counters) assert.ok(expressions.join(' ').includes(name), name);
  });

  it('has expressions that Prometheus can read', { skip: promtool.skip }, () =>
    withTempDir((directory) => {
      const path = join(directory, 'rules.yml');
      const check = (all: readonly string[]) => {
        const rules = all.map((expr, n) => ({
          record: `x:${n}`,
          expr: expr.replace(/\$__(rate_interval|range)/g, '5m').replace(/\$\w+/g, '.+'),
        }));
        writeFileSync(path, JSON.stringify({ groups: [{ name: 'dashboard', rules }] }));
        return promtool.run(['check', 'rules', path]);
      };
      const { status, output } = check(expressions);
      assert.equal(status, 0, output);
      assert.notEqual(check([...expressions, 'rate(syncpozo_lag_seconds)']).status, 0);
    }),
  );
});
