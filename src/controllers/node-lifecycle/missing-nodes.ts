/** Nodes that pods are bound to and that are not there: after a while nobody waits for them, and their pods are forgotten. */
import type { ClusterSettingsSpec } from "../../model/cluster-settings.ts";
import { nodes } from "../../model/node.ts";
import { pods } from "../../model/pod.ts";
import type { Clock } from "../../seams/clock.ts";
import type { Store } from "../../store/store.ts";
import type { Looks } from "./looks.ts";
import { forgetPod } from "./pod-marks.ts";
import type { TermsInForce } from "./terms-in-force.ts";

/** Kubernetes' PodGC: a Node object that is deleted may be made anew at once. */
const QUARANTINE_MS = 40_000;

export interface MissingNodesParts {
  readonly store: Store;
  readonly clock: Clock;
  readonly terms: TermsInForce;
  readonly looks: Looks;
}

export class MissingNodes {
  readonly #parts: MissingNodesParts;
  /** Since when. */
  readonly #missing = new Map<string, number>();

  constructor(parts: MissingNodesParts) {
    this.#parts = parts;
  }

  miss(name: string, nowMs: number): void {
    const { looks, terms } = this.#parts;
    if (this.#missing.has(name)) return;
    this.#missing.set(name, nowMs);
    looks.later(name, nowMs + quarantineMs(terms.settings));
  }

  found(name: string): void {
    this.#missing.delete(name);
  }

  /** Forgets the pods of a node that has been missing for long enough; else it comes back to it when it has. */
  async forget(name: string): Promise<void> {
    const { store, clock, terms, looks } = this.#parts;
    const sinceMs = this.#missing.get(name);
    if (sinceMs === undefined) return;
    // Its agent may still go by longer terms.
    const atMs = Math.max(sinceMs + quarantineMs(terms.settings), terms.floorMs);
    if (clock.monotonic() < atMs) return looks.later(name, atMs);
    await store.update((tx) => {
      if (tx.get(nodes, name)) return;
      const why = `node ${name} is not in the cluster any more`;
      for (const pod of tx.by(pods, "node", name)) forgetPod(tx, pod, why);
    });
    this.#missing.delete(name);
  }
}

function quarantineMs({ exclusiveAfterMs }: ClusterSettingsSpec): number {
  return Math.max(QUARANTINE_MS, exclusiveAfterMs);
}
