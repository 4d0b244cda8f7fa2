/**
 * The control plane as an agent sees it from afar: calls, a stream of assignments, and heartbeats on a link of their own.
 * Links may lose, double, delay and reorder what is said on them. What is promised all the same: a call is carried out
 * once by one control plane (after its restart perhaps once more: everything but the count of an event is then as
 * before); an older report or registration never overwrites a newer one; a pod's older state never follows a newer one.
 */
import { isDeepStrictEqual } from "node:util";
import type { ClusterNews } from "../../model/cluster-news.ts";
import type { Goodbye, Heartbeat, HeartbeatAnswer } from "../../model/heartbeat.ts";
import type { Draft } from "../../model/meta.ts";
import type { NetworkNews } from "../../model/network.ts";
import type { Node } from "../../model/node.ts";
import type { NodeAccess } from "../../model/streams.ts";
import { type Link, LinkError } from "../../seams/link.ts";
import type { Assignments, Control, NetworkHas, NodeEvent, PodReport } from "../control.ts";
import { AGENT_SIGN_MS, FRAME_CHARS } from "../frames/limits.ts";
import { FrameError } from "../frames/shape.ts";
import { type NetworkFrame, type Position, parseToAgent, type ToAgent } from "../frames/to-agent.ts";
import { dropFrame, signFrame } from "../frames/to-dispatcher.ts";
import { Calls } from "./calls.ts";
import { Connection, type RemoteOptions } from "./connection.ts";
import { HeartbeatLink } from "./heartbeat-link.ts";
import { NetworkEar } from "./network-ear.ts";
import { type PodWatch, podWatch } from "./pod-watch.ts";
import { reportCalls } from "./report-calls.ts";
import { StreamHost } from "./stream-host.ts";
import type { WatchOptions } from "./stream-watch.ts";

export interface ConnectionState {
  readonly isOpen: boolean;
  /** When it was opened, or lost; 0 before the first link. */
  readonly sinceMs: number;
  readonly heardAtMs: number;
  /** Links there have been. */
  readonly links: number;
  /** Why the last attempt failed, or the last link was lost. */
  readonly problem: string;
}

export class RemoteControl implements Control {
  readonly #options: RemoteOptions;
  readonly #session: string;
  readonly #connection: Connection;
  readonly #calls: Calls;
  readonly #beats: HeartbeatLink;
  readonly #watches = new Set<PodWatch>();
  readonly #network = new NetworkEar();
  readonly #newsListeners = new Set<(news: ClusterNews) => void>();
  #news: ClusterNews | undefined;
  #served: { readonly access: NodeAccess; readonly nodeName: string } | undefined;
  #host: StreamHost | undefined;
  #sinceMs = 0;
  #links = 0;
  #streams = 0;
  #saidAtMs = 0;
  #isStarted = false;
  #isClosed = false;

  constructor(options: RemoteOptions) {
    const { clock, random } = options;
    this.#options = options;
    // Time beside chance: a replayed seed may draw the same twice.
    this.#session = `${clock.now().toString(36)}-${random.suffix(12)}`;
    this.#connection = new Connection(options, {
      opened: (link) => this.#opened(link),
      frame: (text) => this.#heard(text),
      bytes: (frame) => this.#heardBytes(frame),
      lost: (reason) => this.#lostLink(reason),
    });
    this.#calls = new Calls(clock, this.#session, (frame) => this.#say(frame));
    this.#beats = new HeartbeatLink(options);
  }

  async registerNode(node: Draft<Node>): Promise<void> {
    await this.#start().call({ method: "register", node });
  }

  watchPods(nodeName: string, listener: (assignments: Assignments) => void, signal: AbortSignal): void {
    if (signal.aborted || this.#isClosed) return;
    const calls = this.#start();
    const watch = podWatch({ ...this.#watching(calls), node: nodeName }, listener);
    this.#watches.add(watch);
    // Without a link the next one opens it.
    if (this.#connection.isOpen) watch.open();
    signal.addEventListener("abort", () => this.#endWatch(watch), { once: true });
  }

  watchNetwork(listener: (news: NetworkNews) => void, signal: AbortSignal, has?: NetworkHas): void {
    if (signal.aborted || this.#isClosed) return;
    this.#network.hear({ ...this.#watching(this.#start()), ...(has ? { has } : {}) }, listener, signal);
  }

  networkApplied(revision: number): void {
    this.#network.applied(revision);
  }

  /** Large reports travel in several calls; rejects unless all were taken. */
  async report(reports: readonly PodReport[], events: readonly NodeEvent[]): Promise<void> {
    const calls = this.#start();
    await Promise.all(reportCalls(reports, events, FRAME_CHARS).map((text) => calls.begin(text).answer));
  }

  async keyValues(
    kind: "Secret" | "ConfigMap",
    namespace: string,
    name: string,
  ): Promise<Readonly<Record<string, string>> | undefined> {
    const values = await this.#start().call({ method: "values", kind, namespace, name });
    return (values as Readonly<Record<string, string>> | null) ?? undefined;
  }

  heartbeat(beat: Heartbeat): Promise<HeartbeatAnswer> {
    return this.#beats.send(beat);
  }

  watchCluster(listener: (news: ClusterNews) => void, signal: AbortSignal): void {
    if (signal.aborted || this.#isClosed) return;
    this.#start();
    this.#newsListeners.add(listener);
    if (this.#news) listener(this.#news);
    signal.addEventListener("abort", () => void this.#newsListeners.delete(listener), { once: true });
  }

  /** Logs, commands and connections of this node's pods, for whoever asks the control plane for them. */
  serve(access: NodeAccess, nodeName: string): void {
    this.#served = { access, nodeName };
  }

  /** How the connection fares. Times of the monotonic clock. */
  get state(): ConnectionState {
    const { isOpen, heardAtMs, problem } = this.#connection;
    return { isOpen, heardAtMs, problem, sinceMs: this.#sinceMs, links: this.#links };
  }

  async goodbye(goodbye: Goodbye): Promise<void> {
    await this.#start().call({ method: "goodbye", goodbye });
  }

  /** For good. What waits for an answer is rejected. */
  close(reason: string): void {
    this.#isClosed = true;
    for (const watch of this.#watches) watch.end();
    this.#watches.clear();
    this.#network.end();
    this.#calls.close(new LinkError(reason, false));
    this.#connection.close(reason);
    this.#beats.close(reason);
  }

  #start(): Calls {
    if (this.#isClosed) throw new LinkError("this side has closed the connection", false);
    if (!this.#isStarted) {
      this.#isStarted = true;
      this.#connection.start();
    }
    return this.#calls;
  }

  #watching(calls: Calls): WatchOptions {
    const { clock, log } = this.#options;
    return {
      ...{ session: this.#session, clock, log, calls },
      send: (frame) => this.#say(frame),
      isOpen: () => this.#connection.isOpen,
      newStream: () => ++this.#streams,
    };
  }

  #say(frame: string): void {
    this.#saidAtMs = this.#options.clock.monotonic();
    this.#connection.send(frame);
  }

  #opened(link: Link): void {
    this.#sinceMs = this.#options.clock.monotonic();
    this.#links++;
    // The first word on a link says whose it is, before anything that waits.
    this.#say(signFrame(this.#session));
    for (const watch of this.#watches) watch.open();
    this.#calls.sayAgain();
    if (this.#served) this.#host = new StreamHost({ ...this.#options, ...this.#served, link });
  }

  #lostLink(reason: string): void {
    this.#sinceMs = this.#options.clock.monotonic();
    this.#network.lostLink();
    this.#host?.close(reason);
    this.#host = undefined;
  }

  #heardBytes(frame: Uint8Array): void {
    try {
      this.#host?.heard(frame);
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      this.#options.log.warn("the control plane broke the rules of streams", { why: error.message });
      this.#connection.leave(error.message);
    }
  }

  #hearNews(news: ClusterNews): void {
    if (isDeepStrictEqual(news, this.#news)) return;
    this.#news = news;
    for (const listener of this.#newsListeners) listener(news);
  }

  #heard(text: string): void {
    let frame: ToAgent;
    try {
      frame = parseToAgent(text);
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      this.#options.log.warn("the control plane said something that this version does not understand", {
        why: error.message,
      });
      return;
    }
    if (frame.type === "pods") this.#watchOf(frame.stream)?.frame(frame);
    else if (frame.type === "network") this.#hearNetwork(frame);
    else if (frame.type === "sign") {
      this.#network.offered(frame.offers);
      this.#answerSign(frame.streams);
    } else if (frame.type === "news") this.#hearNews(frame.news);
    else if (frame.type !== "beat") this.#calls.answered(frame);
  }

  #hearNetwork(frame: NetworkFrame): void {
    try {
      this.#network.frame(frame);
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      this.#options.log.error("the control plane says more of the network than can be", { why: error.message });
      this.#connection.leave(error.message);
    }
  }

  #answerSign(streams: readonly Position[]): void {
    for (const [stream, sequence, acknowledged] of streams) {
      const watch = this.#watchOf(stream) ?? this.#network.of(stream);
      if (watch) watch.sign(sequence, acknowledged);
      else this.#say(dropFrame(this.#session, stream));
    }
    if (this.#options.clock.monotonic() - this.#saidAtMs >= AGENT_SIGN_MS) this.#say(signFrame(this.#session));
  }

  #watchOf(stream: number): PodWatch | undefined {
    for (const watch of this.#watches) if (watch.stream === stream) return watch;
    return undefined;
  }

  #endWatch(watch: PodWatch): void {
    if (!this.#watches.delete(watch)) return;
    const { stream } = watch;
    watch.end();
    if (stream !== undefined) this.#say(dropFrame(this.#session, stream));
  }
}
