import type { NodeEntry } from "../../model/network.ts";
import type { Clock, Timer } from "../../seams/clock.ts";
import { inTime } from "../../seams/in-time.ts";
import type { NetworkState } from "./network-state.ts";
import { Touched } from "./touched.ts";

export interface LostNodesOptions {
  readonly state: NetworkState;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Undefined: nobody can be asked yet. */
  readonly probe?: (node: NodeEntry, signal: AbortSignal) => Promise<boolean | undefined>;
  /** The control plane's, `host:port`: when it is not heard, their hosts are asked before all others. */
  readonly servers?: () => readonly string[];
  /** Nodes were lost, or found again. */
  readonly touched: (touched: Touched) => void;
}

/** No answer in this time is none. */
const PROBE_MS = 400;
/** A node that is silent is asked again so often, whether it answered or not. */
const AGAIN_MS = 500;
/** One that is heard, and that this node alone does not reach: its probes go on besides. */
const SUSPECTED_AGAIN_MS = 2_000;
/** Of the control plane nothing was heard for so many heartbeats: its host may be the one that is gone. */
const UNHEARD_BEATS = 1.4;
/** Asked at once while nobody says which ones are silent. */
const MOST_AT_ONCE = 32;

/**
 * Nodes of which the control plane hears nothing, and all others while it is not heard itself: whether this node reaches them it finds out for
 * itself, as the fault may lie between them and the control plane alone. One that is not reached is no place to send to until it
 * answers, or is heard again. The same of one that is heard, and that this node's own probes do not reach: one rule of a firewall between two
 * hosts would cost its share of all connections for ever.
 */
export class LostNodes {
  readonly #options: LostNodesOptions;
  /** By name: what is under way, or when it is asked again. */
  readonly #asked = new Map<string, Timer | undefined>();
  #isUnheard = false;
  #unheardTimer: Timer | undefined;
  /** Nodes that this node's probes do not reach, whoever else hears them. */
  #suspected: ReadonlySet<string> = new Set();
  /** That could not be asked, when it was their turn last. */
  readonly #unasked = new Set<string>();
  /** Whose turn it is while the control plane is not heard. */
  #row: string[] = [];

  constructor(options: LostNodesOptions) {
    this.#options = options;
    options.signal.addEventListener("abort", () => this.#end(), { once: true });
  }

  /** Looks at these nodes. */
  look(names: Iterable<string>): void {
    for (const name of names) if (this.#isSilent(name)) this.#begin(name);
  }

  /** All those that this node's probes do not reach now. */
  suspect(names: Iterable<string>): void {
    const { state, probe, signal } = this.#options;
    if (probe === undefined || signal.aborted) return;
    // One that has no pods of its own network is not asked there.
    this.#suspected = new Set([...names].filter((name) => state.tables.node.get(name)?.podRange !== undefined));
    for (const name of this.#suspected) this.#begin(name);
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

  /** What is known is what the disk had: as long as the control plane has not answered at all, nobody says who is gone. */
  begin(): void {
    const { probe, clock, signal } = this.#options;
    if (probe === undefined || signal.aborted || this.#unheardTimer !== undefined) return;
    this.#isUnheard = true;
    // Where it leads as ever it answers first, and nobody is asked.
    this.#unheardTimer = clock.setTimer(AGAIN_MS, () => this.#askNext());
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

  /** It was asked, and did not fail to answer; or is being asked. */
  mayBeOn(name: string): boolean {
    const { state, probe } = this.#options;
    return probe !== undefined && !state.lostNodes.has(name) && !this.#unasked.has(name);
  }

  #askNext(): void {
    const { state, clock } = this.#options;
    if (!this.#isUnheard) return;
    if (this.#row.length === 0) this.#row = [...state.tables.node.keys()].sort();
    for (const name of [...this.#serverHosts(), ...this.#row.splice(0, MOST_AT_ONCE)])
      if (state.tables.node.get(name)?.podRange !== undefined) this.#begin(name);
    this.#unheardTimer = clock.setTimer(AGAIN_MS, () => this.#askNext());
  }

  /** Of however many nodes: who is not heard is suspected first. */
  #serverHosts(): readonly string[] {
    const hosts = new Set((this.#options.servers?.() ?? []).map((server) => server.replace(/:\d+$/, "")));
    if (hosts.size === 0) return [];
    const nodes = [...this.#options.state.tables.node.values()];
    return nodes.flatMap(({ id, address }) => (hosts.has(address) || hosts.has(id) ? [id] : []));
  }

  #begin(name: string): void {
    if (name !== this.#options.state.nodeName && !this.#asked.has(name)) void this.#ask(name);
  }

  async #ask(name: string): Promise<void> {
    const { state, clock, probe, signal, touched } = this.#options;
    const node = state.tables.node.get(name);
    if (node === undefined || probe === undefined || signal.aborted) {
      this.#asked.delete(name);
      this.#unasked.delete(name);
      return;
    }
    this.#asked.set(name, undefined);
    const isThere = await this.#answers(node, probe);
    if (signal.aborted) return;
    if (isThere === undefined) this.#unasked.add(name);
    else this.#unasked.delete(name);
    // What was heard meanwhile counts for more.
    if (isThere !== undefined && this.#isDoubtful(name)) {
      const changed = new Touched();
      state.setLost(name, !isThere, changed);
      if (!changed.isEmpty) touched(changed);
    }
    // Suspected again by probes that fail, if they do.
    if (isThere === true && this.#suspected.has(name)) this.#suspected = without(this.#suspected, name);
    if (this.#isDoubtful(name) && !(this.#isUnheard && isThere === true)) {
      this.#asked.set(
        name,
        clock.setTimer(this.#againMs(name), () => void this.#ask(name)),
      );
    } else this.#asked.delete(name);
  }

  #isDoubtful(name: string): boolean {
    const { state } = this.#options;
    return this.#isUnheard || this.#isSuspected(name) || state.lostNodes.has(name) || this.#isSilent(name);
  }

  #isSuspected(name: string): boolean {
    return this.#suspected.has(name) && this.#options.state.tables.node.has(name);
  }

  #isSilent(name: string): boolean {
    return this.#options.state.tables.node.get(name)?.isSilent === true;
  }

  #againMs(name: string): number {
    return this.#isSuspected(name) && !this.#isUnheard && !this.#isSilent(name) ? SUSPECTED_AGAIN_MS : AGAIN_MS;
  }

  async #answers(node: NodeEntry, probe: NonNullable<LostNodesOptions["probe"]>): Promise<boolean | undefined> {
    const late = new AbortController();
    const giveUp = () => {
      late.abort(new Error("no answer in time"));
      return false;
    };
    try {
      return await inTime(this.#options.clock, PROBE_MS, probe(node, late.signal), giveUp);
    } catch {
      // Whatever the reason, it was not reached.
      return false;
    }
  }

  #end(): void {
    this.#unheardTimer?.cancel();
    for (const timer of this.#asked.values()) timer?.cancel();
    this.#asked.clear();
  }
}

function without(names: ReadonlySet<string>, name: string): ReadonlySet<string> {
  return new Set([...names].filter((one) => one !== name));
}
