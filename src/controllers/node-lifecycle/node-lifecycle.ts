/**
 * Which nodes live, and what follows when one does not. Heartbeats renew leases in memory (heartbeat-desk.ts, leases.ts);
 * when a lease runs out, the brake is asked (silence-watch.ts, held-nodes.ts), and then the store is made to say so (write-node.ts): the
 * node's condition and taints, its pods' readiness, and, at the pace that is allowed (mover.ts), the mark on each pod that
 * makes its controller replace it. What is written is level-triggered: a look compares one node's lease with the store,
 * however often it is looked at (looks.ts). Here the parts are put together, and the work is shared out when it is time
 * (pulse.ts).
 */
import { CLUSTER_SETTINGS_NAME, clusterSettings } from "../../model/cluster-settings.ts";
import type { Goodbye, Heartbeat, HeartbeatAnswer, LeaseDesk } from "../../model/heartbeat.ts";
import type { BrakeState, NodeState, NodeStates } from "../../model/node-state.ts";
import type { Clock } from "../../seams/clock.ts";
import type { Log } from "../../seams/log.ts";
import type { Store } from "../../store/store.ts";
import { Adoption } from "./adoption.ts";
import { ClusterNews } from "./cluster-news.ts";
import { HeartbeatDesk } from "./heartbeat-desk.ts";
import { HeldNodes } from "./held-nodes.ts";
import type { Lease } from "./lease.ts";
import { Leases } from "./leases.ts";
import { CLUSTER, Looks, TERMS } from "./looks.ts";
import { MissingNodes } from "./missing-nodes.ts";
import { Mover } from "./mover.ts";
import { isLost } from "./node-marks.ts";
import { Pulse } from "./pulse.ts";
import { SilenceWatch } from "./silence-watch.ts";
import { settle, standingOf } from "./standing.ts";
import { StoreFollower } from "./store-follower.ts";
import { TermsInForce } from "./terms-in-force.ts";
import { stateOf } from "./words.ts";
import { writeNode } from "./write-node.ts";

export interface NodeLifecycleOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
}

export class NodeLifecycle implements LeaseDesk, NodeStates {
  readonly #options: NodeLifecycleOptions;
  readonly #stopping = new AbortController();
  readonly #leases = new Leases();
  readonly #terms = new TermsInForce();
  readonly #news: ClusterNews;
  readonly #pulse: Pulse;
  readonly #looks: Looks;
  readonly #held: HeldNodes;
  readonly #silence: SilenceWatch;
  readonly #missing: MissingNodes;
  readonly #adoption: Adoption;
  readonly #mover: Mover;
  readonly #desk: HeartbeatDesk;
  readonly #follower: StoreFollower;
  #watched: Promise<void> | undefined;

  constructor(options: NodeLifecycleOptions) {
    this.#options = options;
    const { clock, log } = options;
    const { signal } = this.#stopping;
    this.#news = new ClusterNews(log);
    const pulse = new Pulse(clock, signal, {
      nextMs: () => this.#nextMs(),
      due: (nowMs) => this.#workOff(nowMs),
      soon: () => this.#workOffSoon(),
      stood: (stoodMs, nowMs) => this.#silence.forgive(stoodMs, nowMs),
    });
    this.#pulse = pulse;
    const look = (name: string) => this.#look(name);
    this.#looks = new Looks({ clock, log, signal, look, goOn: () => pulse.soon() });
    const parts = { ...options, signal, leases: this.#leases, terms: this.#terms, looks: this.#looks };
    this.#held = new HeldNodes({ ...parts, news: this.#news });
    this.#missing = new MissingNodes(parts);
    this.#adoption = new Adoption(parts);
    const all = { ...parts, held: this.#held, missing: this.#missing, adoption: this.#adoption };
    this.#silence = new SilenceWatch(all);
    this.#mover = new Mover(all);
    this.#desk = new HeartbeatDesk(all);
    this.#follower = new StoreFollower({ ...all, takeSettings: (nowMs) => this.#takeSettings(nowMs) });
  }

  start(): void {
    const nowMs = this.#options.clock.monotonic();
    this.#pulse.begin(nowMs);
    // The terms that agents were given by whoever ran before us are not known: shorter ones than the defaults are new.
    this.#takeSettings(nowMs);
    this.#terms.begin(nowMs);
    this.#looks.later(TERMS, this.#terms.floorMs);
    this.#silence.begin(nowMs);
    this.#follower.load();
    this.#held.restore();
    this.#adoption.loaded();
    this.#watched = this.#follower.watch();
    this.#pulse.run();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#pulse.stop();
    await this.#watched;
  }

  beat(beat: Heartbeat): HeartbeatAnswer {
    return this.#desk.beat(beat);
  }

  goodbye(goodbye: Goodbye): Promise<void> {
    return this.#desk.goodbye(goodbye);
  }

  stateOf(nodeName: string): NodeState | undefined {
    const lease = this.#leases.get(nodeName);
    if (!lease) return undefined;
    const { clock } = this.#options;
    const nowMs = clock.monotonic();
    const isHeld = this.#held.isHeld(lease, nowMs) || (lease.loss !== undefined && this.#held.holds(nodeName));
    const heldWords = isHeld ? this.#held.words : undefined;
    return stateOf(lease, { nowMs, wallMs: clock.now(), settings: this.#terms.settings, heldWords });
  }

  get brake(): BrakeState | undefined {
    return this.#held.state;
  }

  releaseBrake(nodeNames: readonly string[] | undefined, by: string): readonly string[] {
    return this.#held.release(nodeNames, by, this.#options.clock.monotonic());
  }

  /** For metrics: pods marked for replacement since the start, and those that wait for their turn. */
  get moves(): { readonly done: number; readonly waiting: number } {
    return this.#mover.counts;
  }

  #takeSettings(nowMs: number): void {
    const { store } = this.#options;
    const [terms, looks] = [this.#terms, this.#looks];
    terms.take(store.get(clusterSettings, CLUSTER_SETTINGS_NAME), nowMs);
    looks.later(TERMS, Math.max(nowMs, terms.floorMs));
    if (terms.isUntold) looks.touch(TERMS);
    this.#held.review(nowMs);
    this.#leases.scheduleAll(terms.settings);
    this.#mover.retime();
    for (const { loss, node } of this.#leases.values()) if (loss) looks.touch(node);
    this.#pulse.arm();
  }

  #nextMs(): number {
    const wanted = [this.#leases.nextMs, this.#looks.nextMs, this.#mover.nextMs];
    return Math.min(...wanted.map((ms) => ms ?? Number.POSITIVE_INFINITY));
  }

  #workOff(nowMs: number): void {
    this.#silence.judge(nowMs);
    this.#looks.takeDue(nowMs);
    this.#looks.run();
    this.#mover.run(nowMs);
  }

  #workOffSoon(): void {
    this.#looks.run();
    this.#mover.run(this.#options.clock.monotonic());
  }

  #look(name: string): Promise<void> {
    const { store, clock } = this.#options;
    if (name === CLUSTER) return this.#news.write(store);
    if (name === TERMS) return this.#terms.write(store, clock.monotonic());
    const lease = this.#leases.get(name);
    return lease ? this.#write(lease) : this.#missing.forget(name);
  }

  async #write(lease: Lease): Promise<void> {
    const { store, clock } = this.#options;
    const nowMs = clock.monotonic();
    const standing = standingOf(lease, this.#held.isHeld(lease, nowMs));
    if (isLost(standing)) this.#mover.plan(lease, nowMs);
    const write = { lease, standing, nowMs, settings: this.#terms.settings, heldWords: this.#held.words };
    const written = await store.update((tx) => writeNode(tx, write));
    if (written.againMs !== undefined) this.#looks.later(lease.node, written.againMs);
    settle(lease, written);
  }
}
