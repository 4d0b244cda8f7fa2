/**
 * How long we listened for nodes that we did not hear, while we heard others. Unlike a lease it is not renewed when we
 * stand still or start: a control plane that does so again and again finds out all the same who is dead.
 */
import type { ClusterSettingsSpec } from "../../model/cluster-settings.ts";
import { isAway, type Lease } from "./lease.ts";

/** No more often than this. */
const LISTEN_MS = 1_000;

export class Listening {
  #fromMs: number;

  constructor(nowMs: number) {
    this.#fromMs = nowMs;
  }

  /** What passed until now was no listening. */
  restart(nowMs: number): void {
    this.#fromMs = nowMs;
  }

  /** Gives those of whom there is something to be stored. */
  take(leases: Iterable<Lease>, nowMs: number, settings: ClusterSettingsSpec): readonly Lease[] {
    const spanMs = nowMs - this.#fromMs;
    if (spanMs < LISTEN_MS) return [];
    this.#fromMs = nowMs;
    const unheard: Lease[] = [];
    let heard = 0;
    for (const lease of leases) {
      if (lease.loss || isAway(lease, nowMs)) continue;
      if (lease.beatMs !== undefined && nowMs - lease.beatMs < settings.suspectAfterMs + spanMs) heard++;
      else unheard.push(lease);
    }
    // Most are not heard: that says more of us.
    if (heard === 0 || heard < unheard.length) return [];
    return unheard.filter((lease) => {
      const before = told(lease, settings);
      lease.unheardMs += spanMs;
      return told(lease, settings) !== before;
    });
  }
}

/** What is stored of it: in steps of what it takes to be unreachable, so that who dies in quiet times costs nothing. */
export function told({ unheardMs }: Lease, { unreachableAfterMs, startGraceMs }: ClusterSettingsSpec): number {
  return Math.floor(Math.min(unheardMs, startGraceMs + unreachableAfterMs) / unreachableAfterMs) * unreachableAfterMs;
}
