/**
 * The brake over the leases: whose silence is not taken for real because too many are silent, and what follows for them
 * when that begins, when it is over, and when a person says that they are really gone.
 */
import { type Node, nodes } from "../../model/node.ts";
import type { BrakeState } from "../../model/node-state.ts";
import type { Clock } from "../../seams/clock.ts";
import type { Store } from "../../store/store.ts";
import { Brake, type Hold, holdWords } from "./brake.ts";
import type { ClusterNews } from "./cluster-news.ts";
import { dueMs, type Lease } from "./lease.ts";
import type { Leases } from "./leases.ts";
import { CLUSTER, type Looks } from "./looks.ts";
import { restoredHold } from "./restored-hold.ts";
import { silences } from "./silence.ts";
import type { TermsInForce } from "./terms-in-force.ts";

export interface HeldNodesParts {
  readonly store: Store;
  readonly clock: Clock;
  readonly leases: Leases;
  readonly terms: TermsInForce;
  readonly looks: Looks;
  readonly news: ClusterNews;
}

export class HeldNodes {
  readonly #parts: HeldNodesParts;
  readonly #brake = new Brake();

  constructor(parts: HeldNodesParts) {
    this.#parts = parts;
  }

  get state(): BrakeState | undefined {
    return this.#brake.state;
  }

  get words(): string {
    return this.#brake.words;
  }

  /** Nothing of it is moved, whether its lease has run out or not. */
  holds(name: string): boolean {
    return this.#brake.holds(name);
  }

  /** Its lease has run out, and only the brake keeps that from being taken for real. */
  isHeld(lease: Lease, nowMs: number): boolean {
    if (lease.loss || !this.#brake.holds(lease.node)) return false;
    return lease.wasHeld || dueMs(lease, this.#parts.terms.settings) <= nowMs;
  }

  /** It is one of the silent ones of a hold that goes on, given up by a person or not. */
  counts(name: string): boolean {
    return this.#brake.isHeld && this.#brake.counts(name);
  }

  /** To be asked before anybody's silence is taken for real. */
  judge(nowMs: number): void {
    const { clock, leases, terms } = this.#parts;
    const { settings } = terms;
    const now = silences(leases.values(), nowMs, settings);
    for (const hold of this.#brake.consider(now, clock.now(), settings)) {
      const names = [...hold.silent].sort();
      const message = `${holdWords(hold)} within ${settings.brakeWindowMs / 1000} s (${shortened(names)}): nothing of theirs is moved. If they are really gone: styr brake release`;
      this.#tell("Warning", "BrakeHolds", message);
    }
  }

  /** A sign of life. */
  heard(name: string, zone: string | undefined, nowMs: number): void {
    this.#end(this.#brake.heard(name, zone, this.#parts.terms.settings), nowMs);
  }

  /** There is no such node any more. */
  taken(name: string, nowMs: number): void {
    this.#end(this.#brake.taken(name, this.#parts.terms.settings), nowMs);
  }

  /** The settings have changed. */
  review(nowMs: number): void {
    this.#end(this.#brake.review(this.#parts.terms.settings), nowMs);
  }

  /** Gives whose silence is taken for real from now on. */
  release(nodeNames: readonly string[] | undefined, by: string, nowMs: number): readonly string[] {
    const { leases, looks } = this.#parts;
    const { released, ended } = this.#brake.release(nodeNames && new Set(nodeNames));
    for (const name of released) {
      const lease = leases.get(name);
      if (!lease) continue;
      lease.released = true;
      this.#giveUp(lease, nowMs);
      looks.touch(name);
    }
    if (released.length > 0) {
      const message = `${by} says that they are really gone: ${released.join(", ")}; their pods are replaced`;
      this.#tell("Warning", "BrakeReleased", message);
    }
    this.#end(ended, nowMs);
    return released;
  }

  /** What the brake of the control plane before us held is held on, before anybody's grace is over. */
  restore(): void {
    const { store, leases, terms } = this.#parts;
    const all = [...leases.values()];
    const hold = restoredHold(store.list<Node>(nodes), all);
    if (!hold) return;
    this.#brake.restore(hold.now, hold.gone, hold.sinceMs, terms.settings);
    for (const lease of all) lease.wasHeld = hold.held.has(lease.node);
  }

  #giveUp(lease: Lease, nowMs: number): void {
    const { leases, terms } = this.#parts;
    const atMs = dueMs(lease, terms.settings);
    // While a grace runs, as after we stood still: when that is over.
    if (atMs > nowMs) leases.schedule(lease, terms.settings);
    else if (!lease.loss) leases.lose(lease, nowMs);
  }

  #end(ended: readonly Hold[], nowMs: number): void {
    for (const hold of ended) {
      const scope = hold.zone === undefined ? "" : ` for zone ${hold.zone}`;
      const message = `the brake holds no longer${scope}: ${hold.silent.size} of ${hold.members.size} nodes are still silent`;
      this.#tell("Normal", "BrakeEnded", message);
      for (const name of [...hold.silent].sort()) this.#letGo(name, hold, nowMs);
    }
  }

  /** Those that are still silent are treated as any other from now on, with the full time to come back. */
  #letGo(name: string, hold: Hold, nowMs: number): void {
    const { leases, terms, looks } = this.#parts;
    const lease = leases.get(name);
    if (!lease || this.#brake.holds(name) || hold.released.has(name)) return;
    lease.wasHeld = false;
    if (!lease.loss) {
      lease.graceMs = Math.max(lease.graceMs, nowMs + terms.settings.unreachableAfterMs);
      leases.schedule(lease, terms.settings);
    }
    looks.touch(name);
  }

  #tell(...news: Parameters<ClusterNews["add"]>): void {
    this.#parts.news.add(...news);
    this.#parts.looks.touch(CLUSTER);
  }
}

function shortened(names: readonly string[]): string {
  return names.length <= 8 ? names.join(", ") : `${names.slice(0, 8).join(", ")} and ${names.length - 8} more`;
}
