/** What a demand may use at all, by facts alone. */
import type { Demand } from "./demand.ts";
import type { NodeClass } from "./node-class.ts";
import type { NodeFacts } from "./node-facts.ts";
import type { NodeInfo } from "./node-info.ts";
import type { Fewest } from "./pod-checks.ts";

/** Good until a node's facts change. */
export interface Usable {
  readonly epoch: number;
  readonly demand: Demand;
  /** The demand tells single nodes apart: these are all it may use. */
  readonly nodes: readonly NodeInfo[] | undefined;
  readonly classes: readonly UsableClass[];
  readonly size: number;
  /** Values that the usable classes have for a topology key, looked up when first asked for. */
  readonly values: Map<string, readonly string[]>;
}

export interface UsableClass {
  readonly nodeClass: NodeClass;
  readonly facts: NodeFacts;
  /** What every node of the class costs beside its load. */
  readonly cost: number;
}

/** Of the usable classes, for a topology key. */
export function valuesOf({ classes, values }: Usable, topologyKey: string): readonly string[] {
  const known = values.get(topologyKey);
  if (known) return known;
  const found = [...new Set(classes.flatMap(({ facts }) => facts.labels[topologyKey] ?? []))];
  values.set(topologyKey, found);
  return found;
}

export function fewestIn(values: readonly string[], counts: ReadonlyMap<string, number>): Fewest {
  let count = Number.POSITIVE_INFINITY;
  for (const value of values) count = Math.min(count, counts.get(value) ?? 0);
  return { count: values.length === 0 ? 0 : count, domains: values.length };
}
