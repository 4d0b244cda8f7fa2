/**
 * A node's side of the network: hears what the control plane says of the network of the whole cluster, keeps it as a NetworkState, and has each
 * part bring this host in line with what changed, in a lane of its own. Says how far it has come, so that the others know
 * when nobody sends connections any more to what has left; and is the gate through which pods come into the network and leave it.
 */
import type { NetworkEntry, NetworkNews, NodeEntry } from "../../model/network.ts";
import type { Pod, PodStatus } from "../../model/pod.ts";
import type { Clock } from "../../seams/clock.ts";
import type { Log } from "../../seams/log.ts";
import { AwayNodes } from "./away-nodes.ts";
import { heldDigests } from "./held-shelves.ts";
import { Lane } from "./lane.ts";
import { Lingering } from "./lingering.ts";
import { LocalChildren } from "./local-children.ts";
import { localPodOf } from "./local-pod.ts";
import { LostNodes } from "./lost-nodes.ts";
import type { LostRecord } from "./lost-record.ts";
import type { NetworkCache } from "./network-cache.ts";
import type { NetworkPart, PartReport } from "./network-part.ts";
import { NetworkState } from "./network-state.ts";
import { PartLooks } from "./part-looks.ts";
import { isLedTo } from "./pod-traces.ts";
import { Remembered } from "./remembered.ts";
import { Touched } from "./touched.ts";
import { Waiters } from "./waiters.ts";

/** As much of agent/control.ts as the plane needs. */
export interface NetworkControl {
  watchNetwork?(
    listener: (news: NetworkNews) => void,
    signal: AbortSignal,
    has?: () => Promise<string | undefined>,
  ): void;
  networkApplied?(revision: number): void;
}

export interface NetworkPlaneOptions {
  readonly nodeName: string;
  readonly parts: readonly NetworkPart[];
  readonly clock: Clock;
  readonly log: Log;
  /** What was heard last, for a host that starts without a control plane. */
  readonly cache?: NetworkCache;
  /** Whom this node did not reach last, for an agent that starts then. */
  readonly lost?: LostRecord;
  /** Whether a node of which the control plane hears nothing answers over the pod network; undefined: nobody can be asked yet. Absent: it is taken to. */
  readonly probe?: (node: NodeEntry, signal: AbortSignal) => Promise<boolean | undefined>;
  /** The control plane's, `host:port`. */
  readonly servers?: () => readonly string[];
  /** What a restored control plane does not know, and what stays here, may be another (`state.unlisted`). */
  readonly unlisted?: () => void;
  /** Kubernetes' variables for Services. */
  readonly variables?: (pod: Pod, state: NetworkState) => Readonly<Record<string, string>>;
  /** Where a pod's containers ask for names. */
  readonly dns?: (pod: Pod, state: NetworkState) => PodDns | undefined;
}

/** As drivers take it (drivers/driver.ts). */
export interface PodDns {
  readonly nameservers: readonly string[];
  readonly searches: readonly string[];
  readonly options: readonly string[];
  /** The pod's own: its whole name is its hostname below it. */
  readonly domain?: string;
}

export interface PlaneReport {
  /** What was heard last; 0 before the control plane was heard. */
  readonly revision: number;
  readonly appliedRevision: number;
  readonly parts: readonly (PartReport & { readonly name: string })[];
}

/** So long after the start a pod that comes waits for the first word of the network: an older control plane says nothing of it. */
const FIRST_NEWS_MS = 3_000;

export class NetworkPlane {
  readonly state: NetworkState;
  readonly #children: LocalChildren;
  readonly #options: NetworkPlaneOptions;
  readonly #lanes: readonly Lane[];
  readonly #lost: LostNodes;
  readonly #away: AwayNodes;
  readonly #looks: PartLooks;
  readonly #stopping = new AbortController();
  readonly #waiters: Waiters;
  #control: NetworkControl | undefined;
  #revision = 0;
  #settled = 0;
  /** Which server's count revisions are of. */
  #count = 0;
  #said = "";
  #patientUntilMs = 0;
  #hasHeard = false;
  /** It was said what is known here: from then on nothing but what is heard may change that. */
  #hasSaid = false;
  /** Counts up with what is heard. */
  #version = 0;
  readonly #lingering: Lingering;
  readonly #remembered: Remembered;

  constructor(options: NetworkPlaneOptions) {
    const { nodeName, parts, clock, log, probe, servers } = options;
    this.#options = options;
    this.state = new NetworkState(nodeName);
    this.#waiters = new Waiters(clock, this.#stopping.signal);
    this.#lingering = new Lingering(clock);
    this.#remembered = new Remembered(options.cache, () => this.#hasHeard);
    this.#children = new LocalChildren(this.state.localPods);
    this.#lanes = parts.map((part) => new Lane({ part, state: this.state, clock, log, onDone: () => this.#report() }));
    this.#looks = new PartLooks(parts, clock);
    this.#lost = new LostNodes({
      ...{ state: this.state, clock, signal: this.#stopping.signal },
      ...(probe === undefined ? {} : { probe }),
      ...(servers === undefined ? {} : { servers }),
      touched: (touched) => this.#note(touched),
    });
    this.#away = new AwayNodes({ state: this.state, clock, mayBeOn: (node) => this.#lost.mayBeOn(node) });
  }

  /** Has the host's network brought to what was heard last, from the disk: what the lanes do with it goes on after that. */
  async begin(): Promise<void> {
    const [entries = [], lost = []] = await Promise.all([this.#options.cache?.load(), this.#options.lost?.load()]);
    if (entries.length === 0 || this.#hasHeard || this.#hasSaid) return;
    const touched = new Touched();
    this.state.remember(entries, touched);
    this.#lost.lookAnew(lost, touched);
    this.#note(touched);
    this.#lost.begin();
  }

  follow(control: NetworkControl): void {
    this.#control = control;
    this.#patientUntilMs = this.#options.clock.monotonic() + FIRST_NEWS_MS;
    control.watchNetwork?.(
      (news) => this.hear(news),
      this.#stopping.signal,
      () => this.#has(),
    );
  }

  hear(news: NetworkNews): void {
    if (news.type === "settled") {
      this.#settled = Math.max(this.#settled, news.revision);
    } else {
      this.#hasHeard = true;
      this.#version++;
      // Another server counts anew.
      if (news.type === "all") {
        this.#count++;
        this.#settled = 0;
      }
      this.#revision = news.revision;
      this.#keep(news, this.#hear(news));
    }
    this.#waiters.wake();
  }

  /** Everything is looked at again: Docker was restarted, or somebody has changed the host's rules. */
  lookAgain(): void {
    const touched = new Touched();
    touched.everything();
    this.#note(touched);
  }

  /** Has each part look at the host, for somebody who asks how it is. */
  lookNow(): Promise<void> {
    return this.#looks.now();
  }

  get report(): PlaneReport {
    const parts = this.#options.parts.map((part) => ({ ...part.report(), name: part.name }));
    const all = [...parts, ...this.#remembered.rows];
    return { revision: this.#revision, appliedRevision: this.#applied, parts: all };
  }

  /** What was made on this host goes on working. */
  async stop(): Promise<void> {
    this.#stopping.abort(new Error("the agent stops"));
    this.#waiters.wake();
    await Promise.all(this.#lanes.map((lane) => lane.stop()));
    await this.#options.cache?.stop();
    await this.#options.lost?.stop();
  }

  /** Takes everything off this host. */
  async remove(): Promise<void> {
    for (const part of this.#options.parts.toReversed()) await part.remove();
    await this.#options.cache?.remove();
    await this.#options.lost?.remove();
  }

  async coming(pod: Pod, address: string | undefined): Promise<void> {
    if (address === undefined) return;
    const { uid } = pod.metadata;
    const local = localPodOf(pod, address);
    // At once: what is applied from now on is applied with it.
    if (!isSame(this.state.localPods.get(uid), local)) {
      this.state.localPods.set(uid, local);
      this.#noteLocal(uid);
    }
    const isInformed = () => this.#hasHeard || this.state.cluster !== undefined;
    await this.#waiters.until(isInformed, this.#patientUntilMs - this.#options.clock.monotonic());
    await this.#upToDate(pod);
    const gates = this.#lanes.filter((_lane, at) => this.#options.parts[at]?.isGate === true);
    await Promise.all(gates.map((lane) => lane.settled()));
  }

  /** A policy may be missing in what the disk has: what it closes is not opened for that. */
  async #upToDate({ metadata: { namespace, name } }: Pod): Promise<void> {
    const why = this.#remembered.whyBehind;
    if (why === undefined) return;
    this.#options.log.warn("a pod waits for the network", { pod: `${namespace}/${name}`, why });
    const isOver = () => this.#remembered.whyBehind === undefined;
    await this.#waiters.always(isOver);
  }

  async leaving(pod: Pod, mostMs: number, mostAwayMs = mostMs): Promise<void> {
    const { clock } = this.#options;
    const beganMs = clock.monotonic();
    const { uid } = pod.metadata;
    if (!(await this.#waiters.until(() => !isLedTo(this.state, uid), mostMs))) return;
    await this.#lingers(uid, await this.#isHeardByAll(beganMs + mostMs), beganMs + mostMs);
    await this.#leftBySilent(pod, beganMs + mostAwayMs);
  }

  /** By now it was told whose agent is not there: nobody else will tell its host to send nothing here any more. */
  async #leftBySilent({ metadata: { namespace, name, uid } }: Pod, mostUntilMs: number): Promise<void> {
    const { clock, log } = this.#options;
    const away = this.#away.names;
    const untilMs = Math.min(this.#away.untilMs(away), mostUntilMs);
    if (untilMs <= clock.monotonic() || !this.#lingering.hasLeft(uid)) return;
    log.info("a pod stays for nodes whose agents are away", { pod: `${namespace}/${name}`, nodes: away.join(" ") });
    await this.#waiters.until(() => this.#away.names.length === 0, untilMs - clock.monotonic());
    if (!this.#away.isOneBack(away)) return;
    await this.#isHeardByAll(mostUntilMs);
    await this.#lingers(uid, true, mostUntilMs);
  }

  /** True: some have only now. */
  async #isHeardByAll(untilMs: number): Promise<boolean> {
    const { clock } = this.#options;
    let [count, revision] = [this.#count, this.#revision];
    const isSettled = () => {
      if (count !== this.#count) [count, revision] = [this.#count, this.#revision];
      return this.#settled >= revision && this.#applied >= revision;
    };
    const isJust = !isSettled();
    await this.#waiters.until(isSettled, untilMs - clock.monotonic());
    return isJust;
  }

  async #lingers(uid: string, isJust: boolean, untilMs: number): Promise<void> {
    const { clock } = this.#options;
    const lingersUntilMs = this.#lingering.untilMs(uid, isJust) ?? 0;
    await this.#waiters.until(() => false, Math.min(lingersUntilMs, untilMs) - clock.monotonic());
  }

  seen(pod: Pod, status: PodStatus): void {
    for (const id of this.#children.hear(pod, status)) this.#noteLocal(id);
  }

  gone(podUid: string): void {
    for (const id of this.#children.gone(podUid)) this.#noteLocal(id);
    if (this.state.localPods.delete(podUid)) this.#noteLocal(podUid);
  }

  heardControl(heartbeatMs: number): void {
    this.#lost.heard(heartbeatMs);
  }

  /** All nodes that this host's probes do not reach now: their endpoints come after the others. */
  unreached(nodes: Iterable<string>): void {
    this.#lost.suspect(nodes);
  }

  variables(pod: Pod): Readonly<Record<string, string>> {
    return this.#options.variables?.(pod, this.state) ?? {};
  }

  dns(pod: Pod): PodDns | undefined {
    return this.#options.dns?.(pod, this.state);
  }

  /** True: more has changed than was told. */
  #hear(news: Exclude<NetworkNews, { type: "settled" }>): boolean {
    const touched = new Touched();
    const lost = [...this.state.lostNodes];
    const isMore = this.state.hear(news, touched);
    this.#away.look(touched.isAll ? [...touched.nodes, ...this.state.tables.node.keys()] : touched.nodes);
    this.#lingering.left(this.state.takeLeft());
    if (news.type === "all") this.#lost.lookAnew(lost, touched);
    else this.#lost.look(touched.nodes);
    this.#note(touched);
    if (isMore) this.#options.unlisted?.();
    return isMore;
  }

  #noteLocal(uid: string): void {
    const touched = new Touched();
    touched.localPods.add(uid);
    this.#note(touched);
  }

  #note(touched: Touched): void {
    if (touched.isAll || touched.nodes.size > 0) this.#options.lost?.keep(this.state.lostNodes);
    for (const lane of this.#lanes) lane.note(touched, this.#revision);
    this.#report();
  }

  get #applied(): number {
    return Math.min(this.#revision, ...this.#lanes.map(({ revision }) => revision));
  }

  /** Also when it is what was said before: another server counts anew. */
  #report(): void {
    this.#waiters.wake();
    const applied = this.#applied;
    const words = `${this.#count} ${applied}`;
    if (words === this.#said || !this.#hasHeard) return;
    this.#said = words;
    this.#control?.networkApplied?.(applied);
  }

  /** Nothing where nothing is known, or something was heard meanwhile. */
  async #has(): Promise<string | undefined> {
    this.#hasSaid = true;
    const version = this.#version;
    const isEmpty = Object.values(this.state.tables).every(({ size }) => size === 0);
    if (isEmpty) return undefined;
    const digests = await heldDigests(this.#entries(), () => this.#options.clock.sleep(0));
    return version === this.#version ? digests : undefined;
  }

  #keep(news: Exclude<NetworkNews, { type: "settled" }>, isMore: boolean): void {
    const all = () => this.#entries();
    if (news.type === "all" || isMore) this.#options.cache?.changed(all);
    else this.#options.cache?.noted(news, all);
  }

  *#entries(): Generator<NetworkEntry> {
    for (const table of Object.values(this.state.tables)) yield* table.values();
  }
}

function isSame(a: object | undefined, b: object): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
