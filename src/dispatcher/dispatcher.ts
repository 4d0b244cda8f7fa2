/**
 * Where agents meet the store. Each node has one session, over the newest link that its agent dialed: what is assigned
 * to it goes out as a numbered stream, what it reports comes in. Heartbeats come on links of their own. A change of the
 * store is looked at once, whatever the number of agents, and goes to the node that it concerns; an agent that is slow
 * or away holds up nobody.
 */
import { FrameError } from "../agent/frames/shape.ts";
import { beatAnswerFrame, newsFrame, type Offer } from "../agent/frames/to-agent.ts";
import { parseToDispatcher, type ToDispatcher } from "../agent/frames/to-dispatcher.ts";
import type { Directory } from "../directory/directory.ts";
import type { ClusterNews } from "../model/cluster-news.ts";
import type { LeaseDesk } from "../model/heartbeat.ts";
import type { NodeAccess } from "../model/streams.ts";
import type { Clock } from "../seams/clock.ts";
import type { Link, LinkListener } from "../seams/link.ts";
import type { Log } from "../seams/log.ts";
import type { Store } from "../store/store.ts";
import { AgentLink } from "./agent-link.ts";
import { Allowances } from "./allowances.ts";
import { followAssignments } from "./follow-assignments.ts";
import { LinkTurns } from "./link-turns.ts";
import { NodeCalls } from "./node-calls.ts";
import { RemoteAccess } from "./remote-access.ts";
import { Session } from "./session.ts";
import { Sessions } from "./sessions.ts";
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

export class Dispatcher {
  readonly #options: DispatcherOptions;
  readonly #stopping = new AbortController();
  readonly #turnstile: Turnstile;
  readonly #allowances: Allowances;
  readonly #sessions: Sessions;
  readonly #turns: LinkTurns;
  #order = 0;

  constructor(options: DispatcherOptions) {
    this.#options = options;
    const { store, clock, log } = options;
    this.#turnstile = new Turnstile(clock);
    this.#allowances = new Allowances(clock, log);
    const close = (agent: AgentLink, why: string) => this.#close(agent, why);
    this.#sessions = new Sessions({
      close,
      welcome: (agent) => this.#welcome(agent),
      create: (agent, id) => this.#sessionOf(agent, id),
    });
    this.#turns = new LinkTurns({
      clock,
      close,
      sign: (agent) => agent.sign(this.#offers),
      roundOver: (nowMs) => this.#forgetOld(nowMs),
      isNeeded: () => this.#sessions.size > 0,
    });
    void followAssignments(store, this.#sessions, this.#stopping.signal);
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
    return new RemoteAccess((nodeName) => this.#sessions.muxOf(nodeName));
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
    this.#turns.add(agent);
    return {
      frame: (text) => this.#heard(agent, text),
      bytes: (frame) => this.#heardBytes(agent, frame),
      closed: () => this.#gone(agent),
    };
  }

  /** Closes every link; agents dial again. */
  stop(): void {
    this.#stopping.abort(new Error("the dispatcher stops"));
    this.#turnstile.stop();
    this.#turns.stop("the control plane stops");
    this.#sessions.clear();
  }

  #heard(agent: AgentLink, text: string): void {
    if (!agent.isOpen || !this.#allowances.text(agent, text)) return;
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
      if (isData || this.#allowances.bytes(agent, bytes.length, nowMs)) return;
      this.#refuse(agent, "more bytes than were asked for");
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      this.#refuse(agent, error.message);
    }
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
    const session = this.#sessions.take(agent, frame.session);
    if (!session) return;
    if (frame.type === "call") {
      const nowMs = this.#options.clock.monotonic();
      session.call(frame, () => this.#allowances.call(agent, frame.call, nowMs));
    }
    if (frame.type === "got") agent.got(frame.stream, frame.sequence, frame.isBehind);
    else if (frame.type === "applied") agent.applied(frame.stream, frame.revision);
    else if (frame.type === "drop") agent.drop(frame.stream);
  }

  get #offers(): readonly Offer[] {
    return this.#options.directory ? ["network"] : [];
  }

  #welcome(agent: AgentLink): void {
    if (this.#options.directory) agent.sign(this.#offers);
    const news = this.#options.news?.();
    if (news !== undefined) agent.send(newsFrame(news));
  }

  #sessionOf(agent: AgentLink, id: string): Session {
    const { store, leases, log, directory } = this.#options;
    const network = directory && { directory, turnstile: this.#turnstile };
    const calls = new NodeCalls(agent.node, store, leases);
    return new Session({ id, calls, link: agent, log: log.with({ node: agent.node }), network });
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
    this.#turns.remove(agent);
  }

  #forgetOld(nowMs: number): void {
    this.#allowances.forgetOld(nowMs);
    this.#sessions.forgetOld(nowMs);
  }
}
