/**
 * Nodes of which the control plane hears nothing while their hosts answer: their agents are away, and what these have written goes on sending
 * to pods that leave meanwhile. Whoever leaves waits for them, as an agent that is restarted or updated is back soon.
 */
import type { Clock } from "../../seams/clock.ts";
import type { NetworkState } from "./network-state.ts";

export interface AwayNodesOptions {
  readonly state: NetworkState;
  readonly clock: Clock;
  /** Whether its host may be on, as far as this node could ask. */
  readonly mayBeOn: (node: string) => boolean;
}

/** Away for longer than this it counts as unreachable by default, and comes back some day. */
const SOON_MS = 8_000;

export class AwayNodes {
  readonly #options: AwayNodesOptions;
  /** Silent node → since when. */
  readonly #sinceMs = new Map<string, number>();

  constructor(options: AwayNodesOptions) {
    this.#options = options;
  }

  /** Something was told of these. */
  look(names: Iterable<string>): void {
    const { clock } = this.#options;
    for (const name of names) {
      if (!this.#isSilent(name)) this.#sinceMs.delete(name);
      else if (!this.#sinceMs.has(name)) this.#sinceMs.set(name, clock.monotonic());
    }
  }

  get names(): readonly string[] {
    const sinceMs = this.#options.clock.monotonic() - SOON_MS;
    const { mayBeOn } = this.#options;
    return [...this.#sinceMs].flatMap(([name, atMs]) => (atMs > sinceMs && mayBeOn(name) ? [name] : []));
  }

  /** Nobody waits for these for longer; monotonic. */
  untilMs(names: readonly string[]): number {
    return Math.max(...names.map((name) => (this.#sinceMs.get(name) ?? Number.NEGATIVE_INFINITY) + SOON_MS));
  }

  /** Some of them are heard again. */
  isOneBack(names: readonly string[]): boolean {
    const { node } = this.#options.state.tables;
    return names.some((name) => node.has(name) && !this.#isSilent(name));
  }

  #isSilent(name: string): boolean {
    const { nodeName, tables } = this.#options.state;
    return name !== nodeName && tables.node.get(name)?.isSilent === true;
  }
}
