/**
 * Nothing is moved while so many nodes are silent that the fault is more likely ours than theirs. It holds for the
 * cluster, or for single zones, until enough of the silent nodes are back or a person lets it go.
 */
import type { ClusterSettingsSpec } from "../../model/cluster-settings.ts";
import type { BrakeState } from "../../model/node-state.ts";
import { isMass, type Silence } from "./silence.ts";

export interface Hold {
  readonly zone: string | undefined;
  /** Wall time, for people. */
  readonly sinceMs: number;
  /** Nodes that were alive before, and those that came since. */
  readonly members: Set<string>;
  /** Those of them that are silent, also those that a person has given up or taken out of the cluster meanwhile. */
  readonly silent: Set<string>;
  readonly released: Set<string>;
}

export class Brake {
  readonly #holds = new Map<string | undefined, Hold>();

  get isHeld(): boolean {
    return this.#holds.size > 0;
  }

  /** Takes what is silent now. Gives what begins to be held by it. */
  consider(now: readonly Silence[], wallMs: number, settings: ClusterSettingsSpec): readonly Hold[] {
    const begun: Hold[] = [];
    for (const { zone, members, silent } of now) {
      const present = this.#holds.get(zone);
      for (const node of present ? silent : []) {
        present?.members.add(node);
        present?.silent.add(node);
      }
      if (present || !isMass(silent.length, members.length, settings)) continue;
      const released = new Set<string>();
      const hold = { zone, sinceMs: wallMs, members: new Set(members), silent: new Set(silent), released };
      this.#holds.set(zone, hold);
      begun.push(hold);
    }
    return begun;
  }

  holds(node: string): boolean {
    for (const { silent, released } of this.#holds.values()) {
      if (silent.has(node) && !released.has(node)) return true;
    }
    return false;
  }

  /** It is one of the silent ones, given up by a person or not. */
  counts(node: string): boolean {
    for (const { silent } of this.#holds.values()) if (silent.has(node)) return true;
    return false;
  }

  /** What a control plane before this one held: `gone` are those that a person gave up. */
  restore(now: readonly Silence[], gone: ReadonlySet<string>, wallMs: number, settings: ClusterSettingsSpec): void {
    for (const { silent, released } of this.consider(now, wallMs, settings))
      for (const node of silent) if (gone.has(node)) released.add(node);
    this.review(settings);
  }

  /** A node of that zone is heard: back, or for the first time. Gives what is not held any longer. */
  heard(node: string, zone: string | undefined, settings: ClusterSettingsSpec): readonly Hold[] {
    for (const hold of this.#holds.values()) {
      if (hold.zone === undefined || hold.zone === zone) hold.members.add(node);
      hold.silent.delete(node);
      hold.released.delete(node);
    }
    return this.review(settings);
  }

  /** There is no such node any more. A silent one was given up by that, and is no proof that the others are back. */
  taken(node: string, settings: ClusterSettingsSpec): readonly Hold[] {
    for (const { members, silent, released } of this.#holds.values()) {
      if (silent.has(node)) released.add(node);
      else members.delete(node);
    }
    return this.review(settings);
  }

  /** Ends what is no longer so many, by the settings there are now. */
  review(settings: ClusterSettingsSpec): readonly Hold[] {
    return this.#end(
      ({ silent, members, released }) => !isMass(silent.size, members.size, settings) || released.size === silent.size,
    );
  }

  /** A person says that these, or all, are really gone. */
  release(nodes: ReadonlySet<string> | undefined): {
    readonly released: readonly string[];
    readonly ended: readonly Hold[];
  } {
    const freed = new Set<string>();
    for (const { silent, released } of this.#holds.values()) {
      for (const node of silent) {
        if (released.has(node) || (nodes && !nodes.has(node))) continue;
        released.add(node);
        freed.add(node);
      }
    }
    return { released: [...freed].sort(), ended: this.#end(({ silent, released }) => released.size === silent.size) };
  }

  #end(isOver: (hold: Hold) => boolean): readonly Hold[] {
    const ended = [...this.#holds.values()].filter(isOver);
    for (const { zone } of ended) this.#holds.delete(zone);
    return ended;
  }

  /** `3 of 5 nodes fell silent: nothing of theirs is moved`; empty while nothing is held. */
  get words(): string {
    const whole = this.#holds.get(undefined);
    const holds = whole ? [whole] : [...this.#holds.values()];
    return holds.length === 0 ? "" : `${holds.map(holdWords).join("; ")}: nothing of theirs is moved`;
  }

  get state(): BrakeState | undefined {
    const holds = [...this.#holds.values()];
    if (holds.length === 0) return undefined;
    const nodes = new Set(holds.flatMap(({ silent, released }) => [...silent].filter((node) => !released.has(node))));
    return {
      sinceMs: Math.min(...holds.map(({ sinceMs }) => sinceMs)),
      zones: this.#holds.has(undefined) ? "cluster" : holds.map(({ zone }) => zone ?? "").sort(),
      nodes: [...nodes].sort(),
      words: this.words,
    };
  }
}

/** `3 of 5 nodes fell silent`, `2 of 3 nodes of zone b fell silent`. */
export function holdWords({ zone, members, silent }: Hold): string {
  return `${silent.size} of ${members.size} nodes${zone === undefined ? "" : ` of zone ${zone}`} fell silent`;
}
