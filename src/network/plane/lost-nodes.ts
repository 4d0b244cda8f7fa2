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
/** Of the control plane nothing was heard for so many heartbeats: its host may be the one that is gone. */
const UNHEARD_BEATS = 1.4;
/** Asked at once while nobody says which ones are silent. */
const MOST_AT_ONCE = 32;

/**
 * Nodes of which the control plane hears nothing, and all others while it is not heard itself: whether this node reaches them it finds out for
 * itself, as the fault may lie between them and the control plane alone. One that is not reached is no place to send to until it
 * answers, or is heard again.
 */
export class LostNodes {
  readonly #options: LostNodesOptions;
  /** By name: what is under way, or when it is asked again. */
  readonly #asked = new Map<string, Timer | undefined>();
  #isUnheard = false;
  #unheardTimer: Timer | undefined;
  /** Whose turn it is while the control plane is not heard. */
  #row: string[] = [];

  constructor(options: LostNodesOptions) {
    this.#options = options;
    options.signal.addEventListener("abort", () => this.#end(), { once: true });
  }

  /** Looks at these nodes. */
  look(names: Iterable<string>): void {
    const { state } = this.#options;
    for (const name of names) if (state.tables.node.get(name)?.isSilent === true) this.#begin(name);
  }

  /** Everything was told anew, `before` was lost then. A server that has just begun does not know yet who is silent: who was lost has to answer first. */
  lookAnew(before: Iterable<string>, touched: Touched): void {
    const { state } = this.#options;
    for (const name of before) {
      if (!state.tables.node.has(name)) continue;
      state.setLost(name, true, touched);
      this.#begin(name);
    }
    this.look(state.tables.node.keys());
  }

  /** The control plane answered, and is to be heard again after a heartbeat. */
  heard(heartbeatMs: number): void {
    const { probe, clock, signal } = this.#options;
    if (probe === undefined || signal.aborted) return;
    this.#isUnheard = false;
    this.#unheardTimer?.cancel();
    this.#unheardTimer = clock.setTimer(heartbeatMs * UNHEARD_BEATS, () => {
      this.#isUnheard = true;
      this.#askNext();
    });
  }

  #askNext(): void {
    const { state, clock } = this.#options;
    if (!this.#isUnheard) return;
    if (this.#row.length === 0) this.#row = [...state.tables.node.keys()].sort();
    for (const name of this.#row.splice(0, MOST_AT_ONCE))
      if (state.tables.node.get(name)?.podRange !== undefined) this.#begin(name);
    this.#unheardTimer = clock.setTimer(AGAIN_MS, () => this.#askNext());
  }

  #begin(name: string): void {
    if (name !== this.#options.state.nodeName && !this.#asked.has(name)) void this.#ask(name);
  }

  async #ask(name: string): Promise<void> {
    const { state, clock, probe, signal, touched } = this.#options;
    const node = state.tables.node.get(name);
    if (node === undefined || probe === undefined || signal.aborted) {
      this.#asked.delete(name);
      return;
    }
    this.#asked.set(name, undefined);
    const isThere = await this.#answers(node, probe);
    if (signal.aborted) return;
    // What was heard meanwhile counts for more.
    if (this.#isDoubtful(name)) {
      const changed = new Touched();
      state.setLost(name, !isThere, changed);
      if (!changed.isEmpty) touched(changed);
    }
    if (this.#isDoubtful(name) && !(this.#isUnheard && isThere)) {
      this.#asked.set(
        name,
        clock.setTimer(AGAIN_MS, () => void this.#ask(name)),
      );
    } else this.#asked.delete(name);
  }

  #isDoubtful(name: string): boolean {
    const { state } = this.#options;
    return this.#isUnheard || state.lostNodes.has(name) || state.tables.node.get(name)?.isSilent === true;
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
    this.#unheardTimer?.cancel();
    for (const timer of this.#asked.values()) timer?.cancel();
    this.#asked.clear();
  }
}
