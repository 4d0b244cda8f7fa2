/**
 * Where the parts of a process count what they do. Counting is an addition in a field; names, types and labels are those of
 * a catalogue, so that what is documented and what is counted cannot drift apart. Nothing here knows Prometheus' text.
 */
import type { Catalogue, HistogramSample, MeterSet, MetricDefinition, NameOf, Sample, Series } from "./definition.ts";

/** What a metric stands at: one value, values by the only label, or samples. Undefined: not known at present, not shown. */
export type Reading = number | undefined | Readonly<Record<string, number>> | readonly Sample[];

/** A label's value that came from outside must not fill the memory: what is beyond is counted as `other`. */
const MOST_SERIES = 2_000;
const OTHER = "other";
/** Can stand in no label of ours. */
const BETWEEN = "\u0000";

export interface Counter {
  readonly labels: readonly string[];
  value: number;
}

interface Histogram {
  readonly labels: readonly string[];
  readonly counts: number[];
  sum: number;
}

interface Metric {
  readonly definition: MetricDefinition;
  readonly counters: Map<string, Counter>;
  readonly histograms: Map<string, Histogram>;
  read: (() => Reading) | undefined;
}

export class Meters<const C extends Catalogue> implements MeterSet {
  readonly catalogue: C;
  readonly #metrics: ReadonlyMap<string, Metric>;

  constructor(catalogue: C) {
    this.catalogue = catalogue;
    this.#metrics = new Map(catalogue.map((definition) => [definition.name, empty(definition)]));
  }

  /** A counter to keep, where looking it up each time would cost too much. */
  counter(name: NameOf<C, "counter">, ...labels: readonly string[]): Counter {
    const { counters } = this.#of(name);
    return cell(counters, labels, (kept) => ({ labels: kept, value: 0 }));
  }

  count(name: NameOf<C, "counter">, ...labels: readonly string[]): void {
    this.counter(name, ...labels).value++;
  }

  /** What a gauge stands at from now on. */
  gauge(name: NameOf<C, "gauge">, value: number, ...labels: readonly string[]): void {
    const { counters } = this.#of(name);
    cell(counters, labels, (kept) => ({ labels: kept, value })).value = value;
  }

  observe(name: NameOf<C, "histogram">, value: number, ...labels: readonly string[]): void {
    const { histograms, definition } = this.#of(name);
    const buckets = definition.buckets ?? [];
    const histogram = cell(histograms, labels, (kept) => ({
      labels: kept,
      counts: new Array<number>(buckets.length + 1).fill(0),
      sum: 0,
    }));
    let at = 0;
    while (at < buckets.length && value > (buckets[at] as number)) at++;
    histogram.counts[at] = (histogram.counts[at] as number) + 1;
    histogram.sum += value;
  }

  /** Asked at every scrape. A later one takes the place of an earlier one. */
  provide(name: NameOf<C, "counter" | "gauge">, read: () => Reading): void {
    this.#of(name).read = read;
  }

  series(): readonly Series[] {
    return [...this.#metrics.values()].map(({ definition, counters, histograms, read }) => ({
      definition,
      samples:
        definition.type === "histogram" ? [] : withZeros(definition, [...counters.values(), ...samples(read?.())]),
      histograms: [...histograms.values()].map(({ labels, counts, sum }): HistogramSample => ({ labels, counts, sum })),
    }));
  }

  #of(name: string): Metric {
    const metric = this.#metrics.get(name);
    if (!metric) throw new Error(`the catalogue has no metric ${name}`);
    return metric;
  }
}

function empty(definition: MetricDefinition): Metric {
  return { definition, counters: new Map(), histograms: new Map(), read: undefined };
}

function cell<T>(cells: Map<string, T>, labels: readonly string[], make: (labels: readonly string[]) => T): T {
  const key = labels.length === 1 ? (labels[0] as string) : labels.join(BETWEEN);
  const known = cells.get(key);
  if (known) return known;
  if (cells.size >= MOST_SERIES && labels.some((label) => label !== OTHER)) {
    return cell(
      cells,
      labels.map(() => OTHER),
      make,
    );
  }
  const made = make(labels);
  cells.set(key, made);
  return made;
}

function samples(reading: Reading): readonly Sample[] {
  if (reading === undefined) return [];
  if (typeof reading === "number") return [{ labels: [], value: reading }];
  if (isSamples(reading)) return reading;
  return Object.entries(reading).map(([label, value]) => ({ labels: [label], value }));
}

function isSamples(reading: Exclude<Reading, number | undefined>): reading is readonly Sample[] {
  return Array.isArray(reading);
}

/** What has labels of its own says nothing until there is something; a plain counter begins at 0. */
function withZeros({ type, labels, always }: MetricDefinition, known: readonly Sample[]): readonly Sample[] {
  if (labels === undefined && type === "counter" && known.length === 0) return [{ labels: [], value: 0 }];
  const missing = (always ?? []).filter((word) => !known.some((sample) => sample.labels[0] === word));
  return [...missing.map((word) => ({ labels: [word], value: 0 })), ...known];
}
