/**
 * Which nodes live, and what follows when one does not. Heartbeats renew leases in memory (leases.ts); when a lease runs
 * out, the brake is asked (brake.ts), and then the store is made to say so: the node's condition and taints, its pods'
 * readiness, and, at the pace that is allowed (move-queue.ts), the mark on each pod that makes its controller replace it.
 * What is written is level-triggered: `look` compares one node's lease with the store, however often it is called.
 */
import {
  CLUSTER_SETTINGS_NAME,
  type ClusterSettings,
  type ClusterSettingsSpec,
  clusterSettings,
  DEFAULT_CLUSTER_SETTINGS,
  settingsInForce,
} from "../../model/cluster-settings.ts";
import { ApiError } from "../../model/errors.ts";
import type { Goodbye, Heartbeat, HeartbeatAnswer, LeaseDesk } from "../../model/heartbeat.ts";
import { keyOf } from "../../model/meta.ts";
import { type Node, nodes } from "../../model/node.ts";
import type { BrakeState, NodeState, NodeStates } from "../../model/node-state.ts";
import { isTerminal, type Pod, pods } from "../../model/pod.ts";
import { NODE_LABEL } from "../../model/well-known.ts";
import type { Clock, Timer } from "../../seams/clock.ts";
import type { Log } from "../../seams/log.ts";
import type { Store } from "../../store/store.ts";
import type { Change } from "../../store/transaction.ts";
import { Agenda } from "./agenda.ts";
import { exclusiveTermsMs, withTerms } from "./agent-terms.ts";
import { awayOf, leftMs, withAway } from "./away-mark.ts";
import { Brake, type Hold, holdWords } from "./brake.ts";
import { ClusterNews } from "./cluster-news.ts";
import { FLAPPING_TROUBLE, type Flaps, QUIET_MS, withReturn } from "./flapping.ts";
import { dueMs, type Lease, restOfGrace } from "./lease.ts";
import { Leases } from "./leases.ts";
import { Listening } from "./listening.ts";
import { type Move, MoveQueue } from "./move-queue.ts";
import { isGivenAway, isLostAlready, moveOf } from "./move-rules.ts";
import { hasLived, heldSinceMs, isLost, lostSinceMs, type Standing, saysHealth, troubleOf } from "./node-marks.ts";
import { isReleased, unheardMs, unreachableForMs } from "./node-notes.ts";
import { disrupt, forgetPod } from "./pod-marks.ts";
import { byZone, silences } from "./silence.ts";
import { silentWords, stateOf } from "./words.ts";
import { HYSTERESIS_MS, type Written, writeNode } from "./write-node.ts";

export interface NodeLifecycleOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
}

/** The longest time between two looks at the clock, and the steps in which its deadlines are kept. */
const PULSE_MS = 1_000;
const STEP_MS = 250;
/** A timer that comes so late: we stood still, and cannot tell who was silent. */
const STALL_MS = 2_000;
/** An agent that is back says how its pods are within this time. */
const RETURN_MS = 10_000;
const RETRY_MS = 1_000;
/** No host starts more often: another boot id within this time is no news. */
const REBOOT_MS = 10_000;
/** Of what a node says of its health: it is shown in every list of nodes. */
const MOST_HEALTH_CHARS = 1_024;
/** Longest run without letting the event loop breathe. */
const SLICE_MS = 10;
/** Kubernetes' PodGC: a Node object that is deleted may be made anew at once. */
const QUARANTINE_MS = 40_000;
/** In place of a node's name: what is to be said about the cluster. */
const CLUSTER = "";
/** … and for the terms that agents go by. */
const TERMS = " terms";

/** What was known of a node before the heartbeat that has come. */
interface Before {
  readonly heardMs: number;
  readonly left: Lease["leaving"];
  readonly rebooted: boolean;
  readonly isHeld: boolean;
}

export class NodeLifecycle implements LeaseDesk, NodeStates {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #leases = new Leases();
  readonly #brake = new Brake();
  readonly #listening: Listening;
  readonly #moves: MoveQueue;
  readonly #agenda = new Agenda();
  /** Nodes to look at. */
  readonly #dirty = new Set<string>();
  readonly #writing = new Set<string>();
  /** Nodes that pods are bound to and that are not there, since when. */
  readonly #missing = new Map<string, number>();
  readonly #stopping = new AbortController();
  readonly #news: ClusterNews;
  #settings: ClusterSettingsSpec = DEFAULT_CLUSTER_SETTINGS;
  #renewed: HeartbeatAnswer = answer(true, true, DEFAULT_CLUSTER_SETTINGS);
  #refused: HeartbeatAnswer = answer(false, true, DEFAULT_CLUSTER_SETTINGS);
  #stranger: HeartbeatAnswer = answer(false, false, DEFAULT_CLUSTER_SETTINGS);
  /** No exclusive pod is given away before: an agent may still go by longer terms. */
  #floorMs = 0;
  /** Nobody may have been told longer terms than these: they are on the disk. */
  #termsMs = DEFAULT_CLUSTER_SETTINGS.exclusiveAfterMs;
  #timer: Timer | undefined;
  #soon: Timer | undefined;
  #askedMs: number;
  #watched: Promise<void> | undefined;
  #isLoaded = false;
  #moved = 0;

  constructor({ store, clock, log }: NodeLifecycleOptions) {
    this.#store = store;
    this.#clock = clock;
    this.#log = log;
    this.#news = new ClusterNews(log);
    this.#askedMs = clock.monotonic();
    this.#listening = new Listening(this.#askedMs);
    this.#moves = new MoveQueue(this.#settings, this.#askedMs);
  }

  /** Nobody's silence counts for `startGraceMs`: while we did not run we could hear nobody. */
  start(): void {
    const nowMs = this.#clock.monotonic();
    this.#askedMs = nowMs;
    // The terms that agents were given by whoever ran before us are not known: shorter ones than the defaults are new.
    this.#takeSettings(this.#store.get(clusterSettings, CLUSTER_SETTINGS_NAME), nowMs);
    // An agent may go by the longest that are stored: it was told until the moment that whoever ran before us ended.
    if (this.#termsMs > this.#settings.exclusiveAfterMs) this.#floorMs = nowMs + this.#termsMs;
    this.#lookAgain(TERMS, this.#floorMs);
    this.#listening.restart(nowMs);
    this.#leases.renewAll(nowMs, this.#settings.startGraceMs);
    this.#load();
    this.#restoreHolds();
    this.#isLoaded = true;
    this.#watched = this.#watch();
    this.#arm();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#timer?.cancel();
    this.#soon?.cancel();
    await this.#watched;
  }

  beat(beat: Heartbeat): HeartbeatAnswer {
    const nowMs = this.#clock.monotonic();
    const lease = this.#leases.get(beat.node) ?? this.#adoptStored(beat.node, nowMs);
    if (!lease) return this.#stranger;
    const { hasBeaten, heardMs, leaving, bootId, unheardMs } = lease;
    if (this.#leases.hear(lease, beat, nowMs, this.#settings) === "alive") {
      const rebooted = bootId !== undefined && bootId !== beat.bootId && nowMs - lease.rebootedMs >= REBOOT_MS;
      if (rebooted) lease.rebootedMs = nowMs;
      const left = leaving !== lease.leaving ? leaving : undefined;
      const isHeld = this.#brake.isHeld && this.#brake.counts(lease.node);
      const isTold = lease.released || unheardMs > 0;
      lease.released = false;
      if (!hasBeaten || left || rebooted || isHeld || isTold)
        this.#welcome(lease, beat, { heardMs, left, rebooted, isHeld }, nowMs);
      if (lease.word.health !== beat.health) this.#takeHealth(lease, beat, nowMs);
    }
    return lease.gaveAway || lease.giving > 0 ? this.#refused : this.#renewed;
  }

  /** Resolves when it is on disk: a control plane that starts meanwhile keeps the promise, too. */
  goodbye(goodbye: Goodbye): Promise<void> {
    const nowMs = this.#clock.monotonic();
    const lease = this.#leases.get(goodbye.node) ?? this.#adoptStored(goodbye.node, nowMs);
    const given = lease && (lease.gaveAway || lease.giving > 0);
    if (!lease || lease.loss || given || this.#brake.holds(goodbye.node)) {
      throw new ApiError("Conflict", `node ${goodbye.node} is not known as ready: its goodbye comes too late`);
    }
    const graceMs = goodbye.why === "down" ? nowMs : nowMs + this.#settings.rebootGraceMs;
    if (!this.#leases.leave(lease, goodbye, nowMs, graceMs)) {
      throw new ApiError("Conflict", `node ${goodbye.node} has an agent that began after the one that says goodbye`);
    }
    this.#touch(goodbye.node);
    const { node, why } = goodbye;
    if (why === "down") return this.#takeDown(lease, nowMs);
    const { rebootGraceMs } = this.#settings;
    return this.#store.update((tx) => {
      const stored = tx.get(nodes, node);
      if (stored) tx.update(nodes, withAway(stored, { why, untilMs: tx.nowMs + rebootGraceMs, asOfMs: tx.nowMs }));
    });
  }

  /** As if it had been silent for long, but by a person's word: no brake counts it. Resolves when others are told to lead nobody there. */
  #takeDown(lease: Lease, nowMs: number): Promise<void> {
    lease.released = true;
    this.#lose(lease, nowMs);
    this.#dirty.delete(lease.node);
    return this.#look(lease.node);
  }

  stateOf(nodeName: string): NodeState | undefined {
    const lease = this.#leases.get(nodeName);
    if (!lease) return undefined;
    const nowMs = this.#clock.monotonic();
    const isHeld = this.#isHeld(lease, nowMs) || (lease.loss !== undefined && this.#brake.holds(nodeName));
    const heldWords = isHeld ? this.#brake.words : undefined;
    return stateOf(lease, { nowMs, wallMs: this.#clock.now(), settings: this.#settings, heldWords });
  }

  get brake(): BrakeState | undefined {
    return this.#brake.state;
  }

  releaseBrake(nodeNames: readonly string[] | undefined, by: string): readonly string[] {
    const nowMs = this.#clock.monotonic();
    const { released, ended } = this.#brake.release(nodeNames && new Set(nodeNames));
    for (const name of released) {
      const lease = this.#leases.get(name);
      if (!lease) continue;
      lease.released = true;
      // While a grace runs, as after we stood still: when that is over.
      if (dueMs(lease, this.#settings) > nowMs) this.#leases.schedule(lease, this.#settings);
      if (!lease.loss && dueMs(lease, this.#settings) <= nowMs) this.#lose(lease, nowMs);
      this.#touch(name);
    }
    if (released.length > 0) {
      this.#tell(
        "Warning",
        "BrakeReleased",
        `${by} says that they are really gone: ${released.join(", ")}; their pods are replaced`,
      );
    }
    this.#endHolds(ended, nowMs);
    return released;
  }

  /** For metrics: pods marked for replacement since the start, and those that wait for their turn. */
  get moves(): { readonly done: number; readonly waiting: number } {
    return { done: this.#moved, waiting: this.#moves.size };
  }

  #load(): void {
    const nowMs = this.#clock.monotonic();
    for (const { metadata } of this.#store.list(nodes))
      this.#guarded(metadata.name, (name) => this.#followNode(name, nowMs));
    for (const pod of this.#store.list(pods)) this.#guarded(keyOf(pod), () => this.#followPod(pod, nowMs));
  }

  /** One object that cannot be read must not stop the others. */
  #guarded(key: string, follow: (key: string) => void): void {
    try {
      follow(key);
    } catch (error) {
      this.#log.error("cannot be read, and is left alone", { object: key, error: String(error) });
    }
  }

  /** More has changed than the store looks back on: also what was taken away has to be noticed. */
  #reload(): void {
    const nowMs = this.#clock.monotonic();
    this.#takeSettings(this.#store.get(clusterSettings, CLUSTER_SETTINGS_NAME), nowMs);
    for (const { node } of [...this.#leases.values()]) this.#followNode(node, nowMs);
    this.#load();
  }

  async #watch(): Promise<void> {
    const { signal } = this.#stopping;
    const kinds = [nodes, pods, clusterSettings];
    let since = this.#store.revision;
    while (!signal.aborted) {
      try {
        for await (const changes of this.#store.watch({ kinds, since, signal })) {
          for (const change of changes) this.#guarded(change.key, () => this.#follow(change));
          since = changes.at(-1)?.revision ?? since;
        }
      } catch (error) {
        if (error instanceof ApiError && error.reason === "Unavailable") return;
        if (!(error instanceof ApiError && error.reason === "Expired")) throw error;
        since = this.#store.revision;
        this.#reload();
      }
    }
  }

  #follow({ kind, key, object }: Change): void {
    const nowMs = this.#clock.monotonic();
    if (kind.name === nodes.name) this.#followNode(key, nowMs);
    else if (kind.name === pods.name) this.#followPod(object as Pod, nowMs);
    else if (key === CLUSTER_SETTINGS_NAME) this.#takeSettings(this.#store.get(clusterSettings, key), nowMs);
  }

  #followNode(name: string, nowMs: number): void {
    const node = this.#store.get(nodes, name);
    const lease = this.#leases.get(name);
    if (!node) {
      if (!lease) return;
      this.#leases.remove(name);
      this.#endHolds(this.#brake.taken(name, this.#settings), nowMs);
      if (this.#store.by(pods, "node", name).length > 0) this.#miss(name, nowMs);
      return;
    }
    this.#missing.delete(name);
    const known = lease ?? this.#adopt(node, nowMs);
    known.zone = node.metadata.labels?.[NODE_LABEL.zone];
    // Whoever writes a whole node may have written over what the lease says of it.
    if (known.loss || this.#isHeld(known, nowMs)) this.#touch(name);
  }

  #followPod(pod: Pod, nowMs: number): void {
    const name = pod.spec.nodeName;
    if (!name) return;
    const lease = this.#leases.get(name);
    if (!lease) {
      if (!this.#store.get(nodes, name)) this.#miss(name, nowMs);
    } else if (lease.loss || lease.returnedUntilMs !== undefined) this.#touch(name);
  }

  #miss(name: string, nowMs: number): void {
    if (this.#missing.has(name)) return;
    this.#missing.set(name, nowMs);
    this.#lookAgain(name, nowMs + this.#quarantineMs());
  }

  #quarantineMs(): number {
    return Math.max(QUARANTINE_MS, this.#settings.exclusiveAfterMs);
  }

  #adoptStored(name: string, nowMs: number): Lease | undefined {
    const node = this.#isLoaded ? this.#store.get(nodes, name) : undefined;
    return node && this.#adopt(node, nowMs);
  }

  /** A node that this control plane has not met: it may be lost already by what the one before us has written. */
  #adopt(node: Node, nowMs: number): Lease {
    const { name } = node.metadata;
    const lease = this.#leases.add(name, nowMs, nowMs + this.#settings.startGraceMs, this.#settings);
    lease.zone = node.metadata.labels?.[NODE_LABEL.zone];
    lease.bootId = node.status.nodeInfo.bootID || undefined;
    lease.hasLived = !this.#isLoaded && hasLived(node);
    // When it returned last is not stored.
    if (saysHealth(node, FLAPPING_TROUBLE)) this.#takeReturn(lease, { returnsMs: [], untilMs: nowMs + QUIET_MS });
    const since = lostSinceMs(node);
    const bound = this.#store.by(pods, "node", name);
    lease.gaveAway = bound.some((pod) => isGivenAway(pod) && !isTerminal(pod));
    this.#recall(lease, node, nowMs);
    if (since !== undefined) this.#recallLoss(lease, node, this.#clock.now() - since, nowMs);
    else if (bound.some(isLostAlready)) lease.returnedUntilMs = Number.POSITIVE_INFINITY;
    if (since === undefined) this.#keepPromise(lease, node, nowMs);
    return lease;
  }

  /** What the control plane before us knew of it. */
  #recall(lease: Lease, node: Node, nowMs: number): void {
    if (!this.#isLoaded) lease.beatMs = undefined;
    lease.released = isReleased(node);
    lease.unheardMs = unheardMs(node);
    const heldMs = heldSinceMs(node);
    if (heldMs !== undefined) lease.quietMs = nowMs - Math.max(0, this.#clock.now() - heldMs);
    const { startGraceMs, unreachableAfterMs } = this.#settings;
    if (lease.unheardMs > 0) lease.graceMs = nowMs + restOfGrace(lease, startGraceMs, unreachableAfterMs);
    this.#leases.schedule(lease, this.#settings);
  }

  #recallLoss(lease: Lease, node: Node, wallMs: number, nowMs: number): void {
    const forMs = unreachableForMs(node, this.#clock.now(), wallMs);
    lease.loss = { sinceMs: nowMs - forMs };
    lease.quietMs = nowMs - Math.max(0, wallMs);
    lease.unheardMs = Math.max(lease.unheardMs, forMs);
    const { startGraceMs, unreachableAfterMs } = this.#settings;
    lease.graceMs = nowMs + restOfGrace(lease, startGraceMs, unreachableAfterMs);
  }

  /** What the brake of the control plane before us held is held on, before anybody's grace is over. */
  #restoreHolds(): void {
    const held = new Map<string, number>();
    for (const node of this.#store.list(nodes)) {
      const sinceMs = heldSinceMs(node);
      if (sinceMs !== undefined && !isReleased(node)) held.set(node.metadata.name, sinceMs);
    }
    if (held.size === 0) return;
    const all = [...this.#leases.values()];
    const gone = new Set(all.filter(({ released }) => released).map(({ node }) => node));
    const isQuiet = ({ node }: Lease) => held.has(node) || gone.has(node);
    const now = byZone(
      all.filter((lease) => lease.hasLived && (!lease.loss || isQuiet(lease))),
      isQuiet,
    );
    this.#brake.restore(now, gone, Math.min(...held.values()), this.#settings);
    for (const lease of all) lease.wasHeld = held.has(lease.node);
  }

  /** It said goodbye to the control plane before us. */
  #keepPromise(lease: Lease, node: Node, nowMs: number): void {
    const away = awayOf(node);
    if (!away) return;
    // As long as it was promised, and not for ever by a wall clock that went back; a setting made shorter takes nothing back.
    const { rebootGraceMs } = this.#settings;
    const mostMs = Math.max(rebootGraceMs, DEFAULT_CLUSTER_SETTINGS.rebootGraceMs);
    const restMs = Math.min(leftMs(away, this.#clock.now()), mostMs);
    if (restMs <= 0) return;
    const sinceMs = Math.min(nowMs, nowMs + restMs - rebootGraceMs);
    lease.leaving = { goodbye: { node: lease.node, session: "", why: away.why }, sinceMs };
    lease.graceMs = Math.max(lease.graceMs, nowMs + restMs);
    this.#touch(lease.node);
  }

  #takeSettings(stored: ClusterSettings | undefined, nowMs: number): void {
    const before = this.#settings;
    this.#settings = settingsInForce(stored);
    if (this.#settings.exclusiveAfterMs < before.exclusiveAfterMs) {
      this.#floorMs = Math.max(this.#floorMs, nowMs + before.exclusiveAfterMs);
    }
    this.#termsMs = exclusiveTermsMs(stored);
    // Longer ones are told when they are on the disk: who starts after us has to know what agents go by.
    const told = { ...this.#settings, exclusiveAfterMs: Math.min(this.#settings.exclusiveAfterMs, this.#termsMs) };
    this.#renewed = answer(true, true, told);
    this.#refused = answer(false, true, told);
    this.#stranger = answer(false, false, told);
    this.#lookAgain(TERMS, Math.max(nowMs, this.#floorMs));
    if (told.exclusiveAfterMs < this.#settings.exclusiveAfterMs) this.#touch(TERMS);
    this.#endHolds(this.#brake.review(this.#settings), nowMs);
    this.#leases.scheduleAll(this.#settings);
    this.#moves.retime(this.#settings);
    for (const { loss, node } of this.#leases.values()) if (loss) this.#touch(node);
    this.#arm();
  }

  #takeHealth(lease: Lease, { health, message = "" }: Heartbeat, nowMs: number): void {
    lease.word = { health, message: message.slice(0, MOST_HEALTH_CHARS), sinceMs: nowMs };
    this.#lookAgain(lease.node, nowMs + HYSTERESIS_MS);
  }

  /** It beats: for the first time, or after it was given up, away, or another boot. */
  #welcome(lease: Lease, beat: Heartbeat, { heardMs, left, rebooted, isHeld }: Before, nowMs: number): void {
    const { node, loss } = lease;
    if (loss || left || rebooted || isHeld) {
      const sinceMs = left?.sinceMs ?? Math.min(heardMs, loss?.sinceMs ?? heardMs);
      lease.comeback = { silentMs: nowMs - sinceMs, rebooted, announced: left !== undefined };
      lease.sinceMs = nowMs;
    }
    if (loss) this.#takeReturn(lease, withReturn(lease.flaps, nowMs));
    if (loss || lease.returnedUntilMs !== undefined) lease.returnedUntilMs = nowMs + RETURN_MS;
    lease.loss = undefined;
    lease.goneTold = false;
    this.#endHolds(this.#brake.heard(node, lease.zone, this.#settings), nowMs);
    this.#leases.schedule(lease, this.#settings);
    const stored = this.#store.get(nodes, node);
    if (stored && !saysHealth(stored, troubleOf(beat.health, ""))) this.#lookAgain(node, nowMs + HYSTERESIS_MS);
    this.#touch(node);
  }

  #takeReturn(lease: Lease, flaps: Flaps): void {
    lease.flaps = flaps;
    if (Number.isFinite(flaps.untilMs)) this.#lookAgain(lease.node, flaps.untilMs);
  }

  /** Its silence is taken for real. */
  #lose(lease: Lease, nowMs: number): void {
    lease.loss = { sinceMs: nowMs };
    lease.hasBeaten = false;
    lease.returnedUntilMs = undefined;
  }

  #isHeld(lease: Lease, nowMs: number): boolean {
    if (lease.loss || !this.#brake.holds(lease.node)) return false;
    return lease.wasHeld || dueMs(lease, this.#settings) <= nowMs;
  }

  #endHolds(ended: readonly Hold[], nowMs: number): void {
    for (const hold of ended) {
      const scope = hold.zone === undefined ? "" : ` for zone ${hold.zone}`;
      this.#tell(
        "Normal",
        "BrakeEnded",
        `the brake holds no longer${scope}: ${hold.silent.size} of ${hold.members.size} nodes are still silent`,
      );
      for (const name of [...hold.silent].sort()) this.#letGo(name, hold, nowMs);
    }
  }

  /** Those that are still silent are treated as any other from now on, with the full time to come back. */
  #letGo(name: string, hold: Hold, nowMs: number): void {
    const lease = this.#leases.get(name);
    if (!lease || this.#brake.holds(name) || hold.released.has(name)) return;
    lease.wasHeld = false;
    if (!lease.loss) {
      lease.graceMs = Math.max(lease.graceMs, nowMs + this.#settings.unreachableAfterMs);
      this.#leases.schedule(lease, this.#settings);
    }
    this.#touch(name);
  }

  #tick(): void {
    const nowMs = this.#clock.monotonic();
    this.#noticeStall(nowMs);
    for (const { node } of this.#listening.take(this.#leases.values(), nowMs, this.#settings)) this.#touch(node);
    const expired = this.#leases.expire(nowMs, this.#settings);
    if (expired.length > 0) this.#judge(expired, nowMs);
    for (const name of this.#agenda.take(nowMs)) this.#dirty.add(name);
    this.#lookAtDirty();
    this.#takeMoves(nowMs);
    this.#arm();
  }

  /** Before every look at who is due: what came in while we stood still may not have been heard yet. */
  #noticeStall(nowMs: number): void {
    if (nowMs - this.#askedMs <= STALL_MS) return;
    const stoodMs = Math.round(nowMs - this.#askedMs);
    const { startGraceMs, unreachableAfterMs } = this.#settings;
    const waitMs = Math.min(startGraceMs, stoodMs + unreachableAfterMs);
    this.#log.warn("stood still: nobody's silence counts for a while", { stoodMs, graceMs: waitMs });
    this.#listening.restart(nowMs);
    this.#leases.renewAll(nowMs, waitMs);
    // Who was silent before is not waited for as long as the others.
    this.#leases.scheduleAll(this.#settings);
  }

  #judge(expired: readonly Lease[], nowMs: number): void {
    const now = silences(this.#leases.values(), nowMs, this.#settings);
    for (const hold of this.#brake.consider(now, this.#clock.now(), this.#settings)) {
      const names = [...hold.silent].sort();
      const message = `${holdWords(hold)} within ${this.#settings.brakeWindowMs / 1000} s (${shortened(names)}): nothing of theirs is moved. If they are really gone: styr brake release`;
      this.#tell("Warning", "BrakeHolds", message);
    }
    for (const lease of expired) {
      lease.hasBeaten = false;
      if (!this.#brake.holds(lease.node)) this.#lose(lease, nowMs);
      this.#dirty.add(lease.node);
    }
  }

  /** Soon, once, for everything that is dirty by then. */
  #touch(name: string): void {
    this.#dirty.add(name);
    this.#goOn();
  }

  #goOn(): void {
    if (this.#soon || this.#stopping.signal.aborted) return;
    this.#soon = this.#clock.setTimer(0, () => {
      this.#soon = undefined;
      this.#noticeStall(this.#clock.monotonic());
      this.#lookAtDirty();
      this.#takeMoves(this.#clock.monotonic());
      this.#arm();
    });
  }

  #lookAgain(node: string, atMs: number): void {
    this.#agenda.add(node, atMs);
  }

  #lookAtDirty(): void {
    const beganMs = this.#clock.monotonic();
    const names = [...this.#dirty].filter((name) => !this.#writing.has(name)).sort();
    for (const name of names) {
      // Thousands of nodes may be lost at once; heartbeats of the others must not wait for that.
      if (this.#clock.monotonic() - beganMs > SLICE_MS) {
        this.#goOn();
        return;
      }
      this.#dirty.delete(name);
      void this.#look(name);
    }
  }

  async #look(name: string): Promise<void> {
    this.#writing.add(name);
    try {
      const lease = this.#leases.get(name);
      if (name === CLUSTER) await this.#news.write(this.#store);
      else if (name === TERMS) await this.#writeTerms();
      else if (lease) await this.#write(lease);
      else await this.#forgetMissing(name);
    } catch (error) {
      if (this.#stopping.signal.aborted) return;
      this.#log.warn("could not write what became of a node; trying again", { node: name, error: String(error) });
      this.#lookAgain(name, this.#clock.monotonic() + RETRY_MS);
    } finally {
      this.#writing.delete(name);
      if (this.#dirty.has(name)) this.#touch(name);
    }
  }

  async #write(lease: Lease): Promise<void> {
    const nowMs = this.#clock.monotonic();
    const standing = this.#standingOf(lease, nowMs);
    if (isLost(standing)) this.#plan(lease, nowMs);
    const heldWords = this.#brake.words;
    const write = { lease, standing, nowMs, settings: this.#settings, heldWords };
    this.#wrote(lease, await this.#store.update((tx) => writeNode(tx, write)));
  }

  #wrote(lease: Lease, { standing, comeback, gone, againMs, returnedUntilMs }: Written): void {
    if (againMs !== undefined) this.#lookAgain(lease.node, againMs);
    if (gone) lease.goneTold = true;
    if (standing !== "up" || lease.loss) return;
    if (lease.comeback === comeback) lease.comeback = undefined;
    if (lease.giving === 0) lease.gaveAway = false;
    if (againMs === undefined && lease.returnedUntilMs === returnedUntilMs) lease.returnedUntilMs = undefined;
  }

  #standingOf(lease: Lease, nowMs: number): Standing | undefined {
    if (lease.loss) return lease.hasLived ? "lost" : "never up";
    if (this.#isHeld(lease, nowMs)) return "held";
    return lease.hasBeaten ? "up" : undefined;
  }

  #plan(lease: Lease, nowMs: number): void {
    const { loss } = lease;
    if (!loss || this.#brake.holds(lease.node)) return;
    const terms = { settings: this.#settings, floorMs: this.#floorMs };
    for (const pod of this.#store.by(pods, "node", lease.node)) {
      const move = moveOf(pod, lease, loss, terms);
      if (move) this.#moves.add(move, nowMs, this.#settings);
    }
  }

  #takeMoves(nowMs: number): void {
    const byNode = new Map<string, Move[]>();
    for (const move of this.#moves.take(nowMs, this.#settings, (one) => this.#isWanted(one, nowMs))) {
      const mine = byNode.get(move.node);
      if (mine) mine.push(move);
      else byNode.set(move.node, [move]);
    }
    for (const [node, moves] of byNode) {
      const lease = this.#leases.get(node);
      if (lease) void this.#carryOut(lease, moves);
    }
  }

  #isWanted({ node, key, uid }: Move, nowMs: number): boolean {
    const lease = this.#leases.get(node);
    const pod = this.#store.get(pods, key);
    if (!lease?.loss || pod?.metadata.uid !== uid || this.#brake.holds(node)) return false;
    const now = moveOf(pod, lease, lease.loss, { settings: this.#settings, floorMs: this.#floorMs });
    if (now === undefined || now.dueMs <= nowMs) return now !== undefined;
    // It has been put off since it was planned.
    this.#lookAgain(node, now.dueMs);
    return false;
  }

  async #carryOut(lease: Lease, moves: readonly Move[]): Promise<void> {
    const givesAway = moves.some(({ exclusive }) => exclusive);
    const silent = silentWords(lease, this.#clock.monotonic());
    // Before anything can be seen of it: a heartbeat that comes now must not be told that all is well.
    if (givesAway) lease.giving++;
    try {
      await this.#store.update((tx) => {
        for (const { key, uid, node } of moves) {
          const pod = tx.get(pods, key);
          if (pod?.metadata.uid === uid && !isTerminal(pod) && !isLostAlready(pod)) disrupt(tx, pod, node, silent);
        }
      });
      this.#moved += moves.length;
      if (givesAway) lease.gaveAway = true;
    } catch (error) {
      if (this.#stopping.signal.aborted) return;
      this.#log.warn("could not replace pods; trying again", { node: lease.node, error: String(error) });
      this.#lookAgain(lease.node, this.#clock.monotonic() + RETRY_MS);
    } finally {
      this.#moves.done(moves);
      if (givesAway) lease.giving--;
    }
  }

  async #forgetMissing(name: string): Promise<void> {
    const sinceMs = this.#missing.get(name);
    if (sinceMs === undefined) return;
    // Its agent may still go by longer terms.
    const atMs = Math.max(sinceMs + this.#quarantineMs(), this.#floorMs);
    if (this.#clock.monotonic() < atMs) return this.#lookAgain(name, atMs);
    await this.#store.update((tx) => {
      if (tx.get(nodes, name)) return;
      const why = `node ${name} is not in the cluster any more`;
      for (const pod of tx.by(pods, "node", name)) forgetPod(tx, pod, why);
    });
    this.#missing.delete(name);
  }

  /** The longest terms that an agent may go by: longer ones before anybody is told, shorter ones when nobody has others. */
  async #writeTerms(): Promise<void> {
    const before = this.#clock.monotonic() < this.#floorMs ? this.#termsMs : 0;
    await this.#store.update((tx) => {
      const stored = tx.get(clusterSettings, CLUSTER_SETTINGS_NAME);
      if (!stored) return;
      const termsMs = Math.max(before, settingsInForce(stored).exclusiveAfterMs);
      tx.update(clusterSettings, withTerms(stored, termsMs));
    });
  }

  #tell(...news: Parameters<ClusterNews["add"]>): void {
    this.#news.add(...news);
    this.#touch(CLUSTER);
  }

  #arm(): void {
    this.#timer?.cancel();
    if (this.#stopping.signal.aborted || !this.#isLoaded) return;
    const nowMs = this.#clock.monotonic();
    this.#noticeStall(nowMs);
    const wanted = [this.#leases.nextMs, this.#agenda.nextMs, this.#moves.nextMs(this.#settings)];
    const nextMs = Math.min(nowMs + PULSE_MS, ...wanted.map((ms) => ms ?? Number.POSITIVE_INFINITY));
    // In steps, so that what is due at about the same time is done at once.
    const atMs = Math.ceil(Math.max(nextMs, nowMs + 1) / STEP_MS) * STEP_MS;
    this.#askedMs = atMs;
    this.#timer = this.#clock.setTimer(atMs - nowMs, () => this.#tick());
  }
}

function answer(renewed: boolean, known: boolean, settings: ClusterSettingsSpec): HeartbeatAnswer {
  const { heartbeatMs, exclusiveAfterMs, rebootGraceMs } = settings;
  return { renewed, known, terms: { heartbeatMs, exclusiveMs: exclusiveAfterMs, rebootGraceMs } };
}

function shortened(names: readonly string[]): string {
  return names.length <= 8 ? names.join(", ") : `${names.slice(0, 8).join(", ")} and ${names.length - 8} more`;
}
