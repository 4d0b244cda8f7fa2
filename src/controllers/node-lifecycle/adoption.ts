/** How a node gets its lease: one that this control plane has not met may be lost, or away, by what was written before us. */
import { type Node, nodes } from "../../model/node.ts";
import { isTerminal, pods } from "../../model/pod.ts";
import { NODE_LABEL } from "../../model/well-known.ts";
import type { Clock } from "../../seams/clock.ts";
import type { Store } from "../../store/store.ts";
import { awayOf } from "./away-mark.ts";
import { FLAPPING_TROUBLE, QUIET_MS } from "./flapping.ts";
import type { Lease } from "./lease.ts";
import type { Leases } from "./leases.ts";
import type { Looks } from "./looks.ts";
import { isGivenAway, isLostAlready } from "./move-rules.ts";
import { hasLived, lostSinceMs, saysHealth } from "./node-marks.ts";
import { type Now, recallAway, recallLoss, recallSilence } from "./recall.ts";
import type { TermsInForce } from "./terms-in-force.ts";

export interface AdoptionParts {
  readonly store: Store;
  readonly clock: Clock;
  readonly leases: Leases;
  readonly terms: TermsInForce;
  readonly looks: Looks;
}

export class Adoption {
  readonly #parts: AdoptionParts;
  #isLoaded = false;

  constructor(parts: AdoptionParts) {
    this.#parts = parts;
  }

  /** All that were stored when this control plane began have a lease: others are new. */
  loaded(): void {
    this.#isLoaded = true;
  }

  /** Of a node that is known, or stored. */
  leaseOf(name: string, nowMs: number): Lease | undefined {
    const { leases, store } = this.#parts;
    const known = leases.get(name);
    if (known) return known;
    const node = this.#isLoaded ? store.get(nodes, name) : undefined;
    return node && this.adopt(node, nowMs);
  }

  adopt(node: Node, nowMs: number): Lease {
    const { store, clock, leases, terms } = this.#parts;
    const { settings } = terms;
    const { name, labels } = node.metadata;
    const lease = leases.add(name, nowMs, nowMs + settings.startGraceMs, settings);
    lease.zone = labels?.[NODE_LABEL.zone];
    lease.bootId = node.status.nodeInfo.bootID || undefined;
    lease.hasLived = !this.#isLoaded && hasLived(node);
    if (!this.#isLoaded) lease.beatMs = undefined;
    this.#recallFlaps(lease, node, nowMs);
    const bound = store.by(pods, "node", name);
    lease.gaveAway = bound.some((pod) => isGivenAway(pod) && !isTerminal(pod));
    const now = { nowMs, wallMs: clock.now(), settings };
    recallSilence(lease, node, now);
    leases.schedule(lease, settings);
    const since = lostSinceMs(node);
    if (since !== undefined) recallLoss(lease, node, since, now);
    else if (bound.some(isLostAlready)) lease.returnedUntilMs = Number.POSITIVE_INFINITY;
    if (since === undefined) this.#keepPromise(lease, node, now);
    return lease;
  }

  /** When it returned last is not stored. */
  #recallFlaps(lease: Lease, node: Node, nowMs: number): void {
    if (!saysHealth(node, FLAPPING_TROUBLE)) return;
    lease.flaps = { returnsMs: [], untilMs: nowMs + QUIET_MS };
    this.#parts.looks.later(lease.node, lease.flaps.untilMs);
  }

  #keepPromise(lease: Lease, node: Node, now: Now): void {
    const away = awayOf(node);
    if (away && recallAway(lease, away, now)) this.#parts.looks.touch(lease.node);
  }
}
