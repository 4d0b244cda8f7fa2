/** A metric as Prometheus and docs/metrics.md know it. */
export interface MetricDefinition {
  readonly name: string;
  readonly type: "counter" | "gauge" | "histogram";
  readonly help: string;
  readonly labels?: readonly string[];
  /** Upper bounds of a histogram, in its unit, ascending. */
  readonly buckets?: readonly number[];
  /** Values of the only label that are shown as 0 before anything is counted: an alert needs a value. */
  readonly always?: readonly string[];
}

export type Catalogue = readonly MetricDefinition[];

/** Names of the metrics of one type. */
export type NameOf<C extends Catalogue, T extends MetricDefinition["type"]> = Extract<
  C[number],
  { readonly type: T }
>["name"];

/** One line of a metric, or one histogram of it. Label values stand in the order of the definition's labels. */
export interface Sample {
  readonly labels: readonly string[];
  readonly value: number;
}

export interface HistogramSample {
  readonly labels: readonly string[];
  /** One per bucket and one for what is above all, not cumulative. */
  readonly counts: readonly number[];
  readonly sum: number;
}

export interface Series {
  readonly definition: MetricDefinition;
  readonly samples: readonly Sample[];
  readonly histograms: readonly HistogramSample[];
}

/** What can be shown to Prometheus. */
export interface MeterSet {
  readonly catalogue: Catalogue;
  series(): readonly Series[];
}
