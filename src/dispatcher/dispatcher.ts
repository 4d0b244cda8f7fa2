/**
 * Where agents meet the store. Each node has one session, over the newest link that its agent dialed: what is assigned
 * to it goes out as a numbered stream, what it reports comes in. Heartbeats come on links of their own. A change of the
 * store is looked at once, whatever the number of agents, and goes to the node that it concerns; an agent that is slow
 * or away holds up nobody.
 */

import type { Call } from "../agent/frames/call.ts";
import { DISPATCHER_PATIENCE_MS, KEEP_ALIVE_MS, STALL_MS } from "../agent/frames/limits.ts";
import { FrameError } from "../agent/frames/shape.ts";
import type { Mux } from "../agent/frames/streams/mux.ts";
import { beatAnswerFrame, newsFrame, type Offer } from "../agent/frames/to-agent.ts";
import { parseToDispatcher, type ToDispatcher } from "../agent/frames/to-dispatcher.ts";
import type { Directory } from "../directory/directory.ts";
import type { ClusterNews } from "../model/cluster-news.ts";
import { ApiError } from "../model/errors.ts";
import type { LeaseDesk } from "../model/heartbeat.ts";
import { type Pod, pods } from "../model/pod.ts";
import { restorations } from "../model/restoration.ts";
import type { NodeAccess } from "../model/streams.ts";
import type { Clock, Timer } from "../seams/clock.ts";
import type { Link, LinkListener } from "../seams/link.ts";
import type { Log } from "../seams/log.ts";
import type { Store } from "../store/store.ts";
import type { Change } from "../store/transaction.ts";
import { AgentLink } from "./agent-link.ts";
import { Allowance } from "./allowance.ts";
import { NodeCalls } from "./node-calls.ts";
import { RemoteAccess } from "./remote-access.ts";
import { Session } from "./session.ts";
import { Turnstile } from "./turnstile.ts";

export interface DispatcherOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
  readonly leases: LeaseDesk;
  /** What every agent is told of the cluster; absent where it has nothing to find again. */
  readonly news?: () => ClusterNews | undefined;
  /** What every agent is told of the network; absent: nothing. */
  readonly directory?: Directory;
}

/** Links are looked after in turns, so that the signs of life of 10,000 do not go out in one moment. */
const TURNS = 10;
/** A session whose agent has been away for so long is forgotten: its calls are no longer under way. */
const FORGET_MS = 60_000;
/** What even the shortest frame costs. */
const FRAME_COSTS_CHARS = 256;
const MOST_BEAT_CHARS = 4 * 1024;

export class Dispatcher {
  readonly #options: DispatcherOptions;
  readonly #sessions = new Map<string, Session>();
  readonly #turns: readonly Set<AgentLink>[] = Array.from({ length: TURNS }, () => new Set<AgentLink>());
  readonly #stopping = new AbortController();
  readonly #turnstile: Turnstile;
  readonly #allowances = new Map<string, Allowance>();
  #turn = 0;
  #links = 0;
  #order = 0;
  #timer: Timer | undefined;
  #dueAtMs = 0;

  constructor(options: DispatcherOptions) {
    this.#options = options;
    this.#turnstile = new Turnstile(options.clock);
    void this.#follow();
  }

  /** How many agents have a session with an open link. */
  get sessions(): number {
    return [...this.#sessions.values()].filter(({ link }) => link.isOpen).length;
  }

  /** What is kept of agents, here or away: runs of them, and pods of which they have reported. */
  get kept(): { readonly sessions: number; readonly pods: number } {
    const pods = [...this.#sessions.values()].reduce((sum, { calls }) => sum + calls.remembered, 0);
    return { sessions: this.#sessions.size, pods };
  }

  /** The way to the pods of nodes whose agents have a link here. */
  get access(): NodeAccess {
    return new RemoteAccess((nodeName) => this.#muxOf(nodeName));
  }

  /** Logs, commands and connections under way. */
  get streams(): number {
    return [...this.#sessions.values()].reduce((sum, { link }) => sum + link.streams, 0);
  }

  hasLinkOf(nodeName: string): boolean {
    return this.#sessions.get(nodeName)?.link.isOpen === true;
  }

  /** The news have changed: every agent is told. */
  tellNews(): void {
    const news = this.#options.news?.();
    if (news === undefined) return;
    const frame = newsFrame(news);
    for (const { link } of this.#sessions.values()) link.send(frame);
  }

  /** `peer` is who the other side has proved to be. */
  accept(link: Link, { nodeName }: { readonly nodeName: string }): LinkListener {
    const { store, clock } = this.#options;
    const agent = new AgentLink(link, store, clock, { node: nodeName, order: ++this.#order });
    if (this.#stopping.signal.aborted) {
      agent.close("the control plane stops");
      return { frame: () => {}, closed: () => {} };
    }
    this.#turnOf(agent).add(agent);
    this.#links++;
    if (this.#timer === undefined) this.#lookSoon();
    return {
      frame: (text) => this.#heard(agent, text),
      bytes: (frame) => this.#heardBytes(agent, frame),
      closed: () => this.#gone(agent),
    };
  }

  /** Closes every link; agents dial again. */
  stop(): void {
    this.#stopping.abort(new Error("the dispatcher stops"));
    this.#timer?.cancel();
    this.#turnstile.stop();
    for (const turn of this.#turns) for (const agent of [...turn]) this.#close(agent, "the control plane stops");
    this.#sessions.clear();
  }

  #heard(agent: AgentLink, text: string): void {
    if (!agent.isOpen || !this.#isAllowed(agent, text)) return;
    let frame: ToDispatcher;
    try {
      frame = parseToDispatcher(text);
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      this.#refuse(agent, error.message);
      return;
    }
    agent.heardAtMs = this.#options.clock.monotonic();
    if (frame.type === "beat") this.#beat(agent, frame);
    else this.#inSession(agent, frame);
  }

  /** Data has its own bounds; whatever else comes in frames of bytes counts as what is said. */
  #heardBytes(agent: AgentLink, bytes: Uint8Array): void {
    if (!agent.isOpen) return;
    const nowMs = this.#options.clock.monotonic();
    agent.heardAtMs = nowMs;
    try {
      const isData = agent.bytes(bytes);
      if (isData || this.#allowanceOf(agent).chars(FRAME_COSTS_CHARS + bytes.length, nowMs)) return;
      this.#refuse(agent, "more bytes than were asked for");
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      this.#refuse(agent, error.message);
    }
  }

  #muxOf(nodeName: string): Mux {
    const link = this.#sessions.get(nodeName)?.link;
    if (link?.isOpen) return link.mux;
    const message = `node "${nodeName}" is not connected at present, so its logs, commands and ports cannot be reached`;
    throw new ApiError("Unavailable", message, { retryAfterSeconds: 2 });
  }

  /** Asked before anything is read. Nothing is lost by it: what matters is said again. */
  #isAllowed(agent: AgentLink, text: string): boolean {
    const nowMs = this.#options.clock.monotonic();
    const allowance = this.#allowanceOf(agent);
    const isBeat = text.startsWith('["b"') && text.length <= MOST_BEAT_CHARS;
    if (isBeat ? allowance.beat(nowMs) : allowance.chars(FRAME_COSTS_CHARS + text.length, nowMs)) return true;
    if (!agent.isLoud) this.#options.log.warn("an agent says more than is listened to", { node: agent.node });
    agent.isLoud = true;
    return false;
  }

  #allowanceOf({ node }: AgentLink): Allowance {
    const known = this.#allowances.get(node);
    if (known) return known;
    const allowance = new Allowance(this.#options.clock.monotonic());
    this.#allowances.set(node, allowance);
    return allowance;
  }

  #beat(agent: AgentLink, { id, beat }: Extract<ToDispatcher, { type: "beat" }>): void {
    if (beat.node !== agent.node) {
      this.#refuse(agent, `a heartbeat in the name of node "${beat.node}"`);
      return;
    }
    agent.use = "beats";
    agent.send(beatAnswerFrame(id, this.#options.leases.beat(beat)));
  }

  #inSession(agent: AgentLink, frame: Exclude<ToDispatcher, { type: "beat" }>): void {
    const session = this.#sessionOf(agent, frame.session);
    if (!session) return;
    if (frame.type === "call") {
      const nowMs = this.#options.clock.monotonic();
      session.call(frame, () => this.#allowanceOf(agent).items(itemsOf(frame.call), nowMs));
    }
    if (frame.type === "got") agent.got(frame.stream, frame.sequence, frame.isBehind);
    else if (frame.type === "applied") agent.applied(frame.stream, frame.revision);
    else if (frame.type === "drop") agent.drop(frame.stream);
  }

  get #offers(): readonly Offer[] {
    return this.#options.directory ? ["network"] : [];
  }

  /** The newest link of a node is the one that counts, and with it the run of the agent that speaks on it. */
  #sessionOf(agent: AgentLink, id: string): Session | undefined {
    const present = this.#sessions.get(agent.node);
    if (present?.link === agent && present.id === id) return present;
    if (present && present.link.order >= agent.order) {
      this.#close(agent, "this node has a newer link");
      return undefined;
    }
    if (present) this.#close(present.link, "this node has a newer link");
    const { store, leases, log, directory } = this.#options;
    const network = directory && { directory, turnstile: this.#turnstile };
    agent.use = "session";
    if (directory) agent.sign(this.#offers);
    const news = this.#options.news?.();
    if (news !== undefined) agent.send(newsFrame(news));
    if (present?.id === id) {
      present.moveTo(agent);
      return present;
    }
    const calls = new NodeCalls(agent.node, store, leases);
    const session = new Session({ id, calls, link: agent, log: log.with({ node: agent.node }), network });
    this.#sessions.set(agent.node, session);
    return session;
  }

  #refuse(agent: AgentLink, why: string): void {
    this.#options.log.warn("an agent's link was closed", { node: agent.node, why });
    this.#close(agent, why);
  }

  #close(agent: AgentLink, reason: string): void {
    agent.close(reason);
    this.#gone(agent);
  }

  #gone(agent: AgentLink): void {
    agent.end();
    if (!this.#turnOf(agent).delete(agent)) return;
    this.#links--;
    if (this.#links > 0 || this.#sessions.size > 0) return;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #turnOf({ order }: AgentLink): Set<AgentLink> {
    return this.#turns[order % TURNS] as Set<AgentLink>;
  }

  #lookSoon(): void {
    const { clock } = this.#options;
    this.#dueAtMs = clock.monotonic() + KEEP_ALIVE_MS / TURNS;
    this.#timer = clock.setTimer(KEEP_ALIVE_MS / TURNS, () => this.#lookAfter());
  }

  #lookAfter(): void {
    const nowMs = this.#options.clock.monotonic();
    this.#forgiveStall(nowMs - this.#dueAtMs);
    this.#turn = (this.#turn + 1) % TURNS;
    for (const agent of [...(this.#turns[this.#turn] ?? [])]) {
      if (nowMs - agent.heardAtMs > DISPATCHER_PATIENCE_MS) this.#close(agent, "nothing was heard for too long");
      else if (agent.use === "session") agent.sign(this.#offers);
    }
    if (this.#turn === 0) this.#forgetOld(nowMs);
    if (this.#links > 0 || this.#sessions.size > 0) this.#lookSoon();
    else this.#timer = undefined;
  }

  /** While this process stood still it heard nobody: what was said meanwhile is still to be read. */
  #forgiveStall(lateMs: number): void {
    if (lateMs < STALL_MS) return;
    for (const turn of this.#turns) for (const agent of turn) agent.heardAtMs += lateMs;
  }

  #forgetOld(nowMs: number): void {
    for (const [node, allowance] of this.#allowances) if (allowance.isFull(nowMs)) this.#allowances.delete(node);
    for (const [node, { link }] of this.#sessions) {
      if (!link.isOpen && nowMs - link.heardAtMs > FORGET_MS) this.#sessions.delete(node);
    }
  }

  async #follow(): Promise<void> {
    const { store } = this.#options;
    const { signal } = this.#stopping;
    let since = store.revision;
    while (!signal.aborted) {
      try {
        for await (const changes of store.watch({ kinds: [pods, restorations], since, signal })) this.#route(changes);
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        // The store is closed.
        if (error.reason === "Unavailable") return;
        since = store.revision;
        this.#startOver();
      }
    }
  }

  #route(changes: readonly Change[]): void {
    const touched = new Set<AgentLink>();
    // Whether what is not listed goes on is said with all that is.
    if (changes.some(({ kind }) => kind.name === restorations.name)) this.#startOver();
    for (const { type, key, kind, object } of changes) {
      if (kind.name !== pods.name) continue;
      const { spec, metadata } = object as Pod;
      const session = spec.nodeName === undefined ? undefined : this.#sessions.get(spec.nodeName);
      if (!session) continue;
      if (type === "removed") session.calls.forget(metadata.uid);
      for (const feed of session.link.feeds.values()) feed.touch(metadata.uid, key);
      touched.add(session.link);
    }
    for (const { feeds } of touched) for (const feed of feeds.values()) feed.pump();
  }

  #startOver(): void {
    for (const { link } of this.#sessions.values()) {
      for (const feed of link.feeds.values()) {
        feed.startOver();
        feed.pump();
      }
    }
  }
}

function itemsOf(call: Call): number {
  return call.method === "report" ? 1 + call.reports.length + call.events.length : 1;
}
