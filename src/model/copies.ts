/**
 * How the copies of a workload may be moved while they run: what a drain and a rebalance ask of whoever keeps them. Each
 * kind that keeps copies has one rule, a dialect's own kinds bring theirs with the personality.
 */
import { type Kind, keyOf, type OwnerReference, type StoredObject } from "./meta.ts";
import type { WorkloadReader } from "./workload.ts";

export interface Copies {
  /** Copies wanted now. */
  readonly wanted: number;
  /**
   * `start first`: a copy more than wanted may run for a while, so the successor starts before the old copy stops.
   * `stop first`: never two of it. `stays`: it belongs to its machine, there is no elsewhere.
   */
  readonly moves: "start first" | "stop first" | "stays";
  /** Why it stays, as a sentence's end: `it runs once on every machine`. */
  readonly why?: string;
  /** Never fewer ready ones by our own doing, where its user said so (Marathon's minimumHealthCapacity). */
  readonly atLeastReady?: number;
  /** A copy counts once it has been ready for so long. */
  readonly minReadyMs?: number;
  /** A change of the workload is under way: it is no time to even it out. */
  readonly isChanging?: boolean;
}

export interface CopiesRule {
  /** The kind of the owner in a pod's owner reference. */
  readonly owner: string;
  /** Undefined when there is no such owner any more. */
  copiesOf(reader: WorkloadReader, owner: OwnerReference, namespace: string): Copies | undefined;
}

/** A rule for one kind, from what one of its objects says. */
export function copiesRule<T extends StoredObject>(
  kind: Kind<T>,
  copiesOf: (owner: T, reader: WorkloadReader) => Copies,
): CopiesRule {
  return {
    owner: kind.name,
    copiesOf(reader, { name, uid }, namespace) {
      const metadata = kind.namespaced ? { name, namespace } : { name };
      const owner = reader.get(kind, keyOf({ metadata }));
      return owner?.metadata.uid === uid ? copiesOf(owner, reader) : undefined;
    },
  };
}
