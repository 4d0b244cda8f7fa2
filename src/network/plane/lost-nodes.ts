import type { NodeEntry } from "../../model/network.ts";
import type { Clock, Timer } from "../../seams/clock.ts";
import type { NetworkState } from "./network-state.ts";
import { Touched } from "./touched.ts";

export interface LostNodesOptions {
  readonly state: NetworkState;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly probe?: (node: NodeEntry, signal: AbortSignal) => Promise<boolean>;
  /** Nodes were lost, or found again. */
  readonly touched: (touched: Touched) => void;
}

/** No answer in this time is none. */
const PROBE_MS = 400;
/** A node that is silent is asked again so often, whether it answered or not. */
const AGAIN_MS = 500;

/**
 * Nodes of which the control plane hears nothing: whether this node reaches them it finds out for itself, as the fault may lie between
 * them and the control plane alone. One that is not reached is no place to send to until it answers, or is heard again.
 */
export class LostNodes {
  readonly #options: LostNodesOptions;
  /** By name: what is under way, or when it is asked again. */
  readonly #asked = new Map<string, Timer | undefined>();

  constructor(options: LostNodesOptions) {
    this.#options = options;
    options.signal.addEventListener("abort", () => this.#end(), { once: true });
  }

  /** Looks at these nodes, or at all. */
  look(names?: Iterable<string>): void {
    const { state, probe } = this.#options;
    if (probe === undefined) return;
    for (const name of names ?? state.tables.node.keys()) {
      const isSilent = state.tables.node.get(name)?.isSilent === true && name !== state.nodeName;
      if (isSilent && !this.#asked.has(name)) void this.#ask(name);
    }
  }

  async #ask(name: string): Promise<void> {
    const { state, clock, probe, signal, touched } = this.#options;
    const node = state.tables.node.get(name);
    if (node?.isSilent !== true || probe === undefined || signal.aborted) {
      this.#asked.delete(name);
      return;
    }
    this.#asked.set(name, undefined);
    const isThere = await this.#answers(node, probe);
    if (signal.aborted) return;
    // What was heard meanwhile counts for more.
    if (state.tables.node.get(name)?.isSilent === true) {
      const changed = new Touched();
      state.setLost(name, !isThere, changed);
      if (!changed.isEmpty) touched(changed);
    }
    this.#asked.set(
      name,
      clock.setTimer(AGAIN_MS, () => void this.#ask(name)),
    );
  }

  async #answers(node: NodeEntry, probe: NonNullable<LostNodesOptions["probe"]>): Promise<boolean> {
    const late = new AbortController();
    const tooLate = Promise.withResolvers<boolean>();
    const timer = this.#options.clock.setTimer(PROBE_MS, () => {
      late.abort(new Error("no answer in time"));
      tooLate.resolve(false);
    });
    try {
      return await Promise.race([probe(node, late.signal), tooLate.promise]);
    } catch {
      // Whatever the reason, it was not reached.
      return false;
    } finally {
      timer.cancel();
    }
  }

  #end(): void {
    for (const timer of this.#asked.values()) timer?.cancel();
    this.#asked.clear();
  }
}
