/** Meters as Prometheus reads them. Its library, which knows the format, is loaded by the first scrape. */
import type { Metric, Registry } from "prom-client";
import type { HistogramSample, MeterSet, MetricDefinition, Series } from "./definition.ts";

export interface Exposed {
  readonly text: string;
  readonly contentType: string;
}

/** Every metric of these sets, at this moment. */
export async function expose(sets: readonly MeterSet[]): Promise<Exposed> {
  const registry: Registry = new (await import("prom-client")).Registry();
  for (const set of sets) for (const series of set.series()) registry.registerMetric(collected(series));
  return { text: await registry.metrics(), contentType: registry.contentType };
}

interface Line {
  readonly metricName?: string;
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
}

/** The library asks its metrics for a name and for their values, and writes them: ours have them from elsewhere. */
function collected(series: Series): Metric {
  const { name, help, type } = series.definition;
  const get = async () => ({ name, help, type, values: linesOf(series), aggregator: "sum" });
  return { name, get } as unknown as Metric;
}

function linesOf({ definition, samples, histograms }: Series): readonly Line[] {
  const plain = samples.map(({ labels, value }) => ({ labels: named(definition, labels), value }));
  return [...plain, ...histograms.flatMap((histogram) => bucketLines(definition, histogram))];
}

function bucketLines(definition: MetricDefinition, { labels, counts, sum }: HistogramSample): readonly Line[] {
  const { name, buckets = [] } = definition;
  const own = named(definition, labels);
  let soFar = 0;
  const lines = counts.map((count, at): Line => {
    soFar += count;
    return { metricName: `${name}_bucket`, labels: { ...own, le: buckets[at] ?? "+Inf" }, value: soFar };
  });
  return [
    ...lines,
    { metricName: `${name}_sum`, labels: own, value: sum },
    { metricName: `${name}_count`, labels: own, value: soFar },
  ];
}

function named({ labels = [] }: MetricDefinition, values: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(labels.map((label, at) => [label, values[at] ?? ""]));
}
