import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { parse } from "yaml";
import { ALL_METRICS, METRICS_FILE, metricsPage } from "./metrics.ts";

const CONTRIB = join(import.meta.dirname, "../contrib");
const NAMES = new Set(
  ALL_METRICS.flatMap(({ name, type }) =>
    type === "histogram" ? [name, `${name}_bucket`, `${name}_sum`, `${name}_count`] : [name],
  ),
);
const METRIC = /\b(?:styr|process)_[a-z_]+\b/g;

const unknownIn = (text: string) => [...text.matchAll(METRIC)].map(([name]) => name).filter((name) => !NAMES.has(name));

describe("the catalogues of metrics", () => {
  test("follow Prometheus' conventions: units in words, counters end in _total, and only they", () => {
    for (const { name, type } of ALL_METRICS) {
      assert.match(name, /^(?:styr|process)_[a-z]+(?:_[a-z]+)*$/);
      assert.equal(name.endsWith("_total"), type === "counter", name);
      assert.doesNotMatch(name, /_(?:ms|millis|milliseconds|kb|mb)(?:_|$)/);
    }
  });

  test("have each name once, with words, and histograms with ascending buckets", () => {
    assert.equal(new Set(ALL_METRICS.map(({ name }) => name)).size, ALL_METRICS.length);
    for (const { name, type, help, buckets } of ALL_METRICS) {
      assert.match(help, /\.$/, name);
      assert.equal(type === "histogram", buckets !== undefined, name);
      assert.deepEqual(
        buckets ?? [],
        [...(buckets ?? [])].toSorted((a, b) => a - b),
      );
    }
  });
});

describe("docs/metrics.md", () => {
  test("says what the catalogues say", () => {
    assert.equal(
      readFileSync(METRICS_FILE, "utf8"),
      metricsPage(),
      "it is out of date: node scripts/metrics.ts --write",
    );
  });

  test("names no metric that there is not", () => {
    assert.deepEqual(unknownIn(metricsPage()), []);
  });
});

interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly { readonly expr: string }[];
}

describe("the board for Grafana", () => {
  const text = readFileSync(join(CONTRIB, "grafana/styrmann.json"), "utf8");
  const board = JSON.parse(text) as { readonly panels: readonly Panel[]; readonly schemaVersion: number };
  const expressions = board.panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));

  test("asks for no metric that there is not, and leaves out none", () => {
    assert.ok(expressions.length > 40);
    assert.deepEqual(unknownIn(expressions.join("\n")), []);
    const shown = expressions.join("\n");
    const missing = ALL_METRICS.map(({ name }) => name).filter((name) => !new RegExp(`\\b${name}`).test(shown));
    assert.deepEqual(missing, []);
  });

  test("is one that Grafana 9 reads: ids once, a place for each panel, none over another, brackets closed", () => {
    assert.ok(board.schemaVersion >= 36);
    assert.equal(new Set(board.panels.map(({ id }) => id)).size, board.panels.length);
    const taken = new Set<string>();
    for (const { title, gridPos } of board.panels) {
      assert.ok(title.length > 0 && gridPos.x + gridPos.w <= 24);
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++)
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          assert.ok(!taken.has(`${x},${y}`), `${title} lies over another panel`);
          taken.add(`${x},${y}`);
        }
    }
    for (const expr of expressions) {
      for (const [open, close] of ["()", "{}", "[]"].map((pair) => [...pair] as [string, string]))
        assert.equal(expr.split(open).length, expr.split(close).length, expr);
    }
  });
});

describe("the alerts for Prometheus", () => {
  const rules = (
    parse(readFileSync(join(CONTRIB, "prometheus/alerts.yml"), "utf8")) as {
      readonly groups: readonly {
        readonly rules: readonly {
          readonly alert: string;
          readonly expr: string;
          readonly annotations: { readonly summary: string };
        }[];
      }[];
    }
  ).groups.flatMap((group) => group.rules);

  test("ask for no metric that there is not, and say in words what is wrong", () => {
    assert.ok(rules.length >= 10);
    for (const { alert, expr, annotations } of rules) {
      assert.match(alert, /^Styrmann[A-Z]/);
      assert.deepEqual(unknownIn(expr), [], alert);
      assert.ok(annotations.summary.length > 20);
    }
  });
});
