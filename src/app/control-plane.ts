/** The server half of a process: store, controllers, scheduler and the dialects' routes, put together. Opens no socket. */
import { styrApi } from "../api/styr-api.ts";
import { versioned } from "../api/versioned.ts";
import { replicatedSource } from "../api/workloads.ts";
import type { Controller } from "../controllers/controller.ts";
import { cordonTaint } from "../controllers/cordon-taint.ts";
import { drainController } from "../controllers/drain/drain-controller.ts";
import { endpointsController } from "../controllers/endpoints-controller.ts";
import { eventRetention } from "../controllers/event-retention.ts";
import { garbageCollector } from "../controllers/garbage-collector.ts";
import { namespaceController } from "../controllers/namespace.ts";
import { NodeLifecycle } from "../controllers/node-lifecycle/node-lifecycle.ts";
import { rebalanceController } from "../controllers/rebalance/rebalance-controller.ts";
import { replicationController } from "../controllers/replication-controller.ts";
import { ControllerRunner } from "../controllers/runner.ts";
import { taintEviction } from "../controllers/taint-eviction.ts";
import { type AgentPeer, agentApi } from "../dispatcher/agent-api.ts";
import { Dispatcher } from "../dispatcher/dispatcher.ts";
import { type Mounted, mountApis } from "../http/mount.ts";
import type { Api, Elsewhere } from "../http/route.ts";
import { ApiError } from "../model/errors.ts";
import { kernelKinds } from "../model/kinds.ts";
import type { Kind } from "../model/meta.ts";
import type { Pod } from "../model/pod.ts";
import { replicationControllers } from "../model/replication-controller.ts";
import type { NodeAccess } from "../model/streams.ts";
import type { Personality, PersonalityContext } from "../personalities/personality.ts";
import { Scheduler } from "../scheduling/scheduler.ts";
import type { Clock } from "../seams/clock.ts";
import type { Link, LinkListener } from "../seams/link.ts";
import type { Log } from "../seams/log.ts";
import type { Random } from "../seams/random.ts";
import type { Journal, Leadership, SharedJournal } from "../store/journal.ts";
import { Store } from "../store/store.ts";
import { ensureSystemNamespaces } from "../store/system-namespaces.ts";
import { explainer } from "./explainer.ts";
import { type ProcessFacts, systemProcessFacts } from "./process-facts.ts";
import { PeerMounted } from "./server/peer-mounted.ts";
import { PlaneAccess } from "./server/plane-access.ts";

/** What a server does with what only the leader can do, while another leads. */
export interface Follower extends Elsewhere {
  /** Brings an agent's link to the leader. */
  relay(peer: AgentPeer): Promise<(link: Link) => LinkListener>;
}

export interface ControlPlaneOptions {
  readonly journal: Journal;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly personalities: readonly Personality[];
  readonly strategy: "spread" | "binpack";
  /** `host:port` that other programs reach us at. */
  readonly address: string;
  readonly hostname: string;
  readonly version: string;
  /** Logs, commands and usage of pods; asked for once the agent is there. */
  readonly nodeAccess: NodeAccess;
  /** The only node that `nodeAccess` reaches; the others are reached by their agents' links. Absent: it reaches all. */
  readonly localNode?: string;
  /** Default: of this process. */
  readonly processFacts?: ProcessFacts;
  /** Routes of the process itself. */
  readonly moreApis?: readonly Api[];
}

export class ControlPlane {
  readonly store: Store;
  readonly mounted: Mounted;
  /** Where agents' heartbeats go. */
  readonly lifecycle: NodeLifecycle;
  readonly #options: ControlPlaneOptions;
  readonly #follower: Follower | undefined;
  readonly #runner: ControllerRunner;
  readonly #scheduler: Scheduler;
  readonly #facts: ProcessFacts;
  #dispatcher: Dispatcher | undefined;
  #leads = false;

  /** With a journal of its own it always leads, from `start` on. */
  static async open(options: ControlPlaneOptions): Promise<ControlPlane> {
    const { journal, clock, random, log } = options;
    const kinds = kindsOf(options);
    const store = await Store.open({ kinds, journal, clock, random: random.fork("store"), log });
    const plane = new ControlPlane(options, store, kinds);
    await plane.#ensureBasics();
    return plane;
  }

  /** Follows who leads, until `lead`. What only a leader can do is done by `follower`. */
  static async openFollowing(
    options: Omit<ControlPlaneOptions, "journal"> & { readonly journal: SharedJournal },
    follower: Follower,
  ): Promise<ControlPlane> {
    const { journal, clock, random, log } = options;
    const kinds = kindsOf(options);
    const store = await Store.openFollowing({ kinds, journal, clock, random: random.fork("store"), log });
    return new ControlPlane(options, store, kinds, follower);
  }

  private constructor(options: ControlPlaneOptions, store: Store, kinds: readonly Kind[], follower?: Follower) {
    const { clock, random, log, personalities, strategy } = options;
    const context: PersonalityContext = { ...options, store };
    this.#options = options;
    this.#follower = follower;
    this.store = store;
    this.#facts = options.processFacts ?? systemProcessFacts();
    this.#scheduler = new Scheduler({ store, clock, random, log, strategy });
    const moves = {
      clock,
      copies: personalities.flatMap((personality) => personality.copies ?? []),
      elsewhere: (pod: Pod, stopsFirst: boolean) => this.#scheduler.successorOf(pod, stopsFirst),
    };
    const controllers: readonly Controller[] = [
      replicationController,
      endpointsController,
      garbageCollector(kinds),
      namespaceController(kinds),
      eventRetention(),
      cordonTaint,
      taintEviction(),
      drainController(moves),
      rebalanceController(moves),
      ...personalities.flatMap((personality) => personality.controllers(context)),
    ];
    this.lifecycle = new NodeLifecycle({ store, clock, log: log.with({ component: "node-lifecycle" }) });
    this.#runner = new ControllerRunner({ store, controllers, clock, random, log });
    const apis = [
      ...personalities.map((personality) => personality.api(context)),
      this.#ownApi(options, kinds, context),
      agentApi({ version: options.version, open: (peer) => this.#takeAgent(peer) }),
      ...(options.moreApis ?? []),
    ].map((api) => versioned(api, options.version));
    const onBug = (error: unknown, route: string) =>
      log.error("a request met a bug", { route, error: error instanceof Error ? error.stack : String(error) });
    const mounted = mountApis(apis, undefined, onBug, () => (this.leads ? undefined : this.#follower));
    this.mounted = new PeerMounted(mounted, this);
  }

  /** Whether what is asked of it is done here. */
  get leads(): boolean {
    return this.#leads || this.#follower === undefined;
  }

  get revision(): number {
    return this.store.revision;
  }

  /** Begins what a leader does: places, controls, listens to agents. */
  start(): void {
    const { clock, log } = this.#options;
    this.#leads = true;
    this.#runner.start();
    this.#scheduler.start();
    this.lifecycle.start();
    this.#dispatcher = new Dispatcher({ store: this.store, clock, log, leases: this.lifecycle });
  }

  /** The same store goes on, writing now; whoever watches it notices nothing. */
  async lead(leadership: Leadership): Promise<void> {
    this.store.lead(leadership);
    this.start();
    await this.#ensureBasics();
  }

  /** What is stored stays; what runs goes on running. */
  async stop(): Promise<void> {
    this.#dispatcher?.stop();
    if (this.#leads) {
      await this.lifecycle.stop();
      await this.#runner.stop();
      await this.#scheduler.stop();
    }
    await this.store.close();
    this.#facts.stop();
  }

  /** A store that cannot write still serves reads, and everything that runs goes on. */
  async #ensureBasics(): Promise<void> {
    const { log } = this.#options;
    await this.store
      .update(ensureSystemNamespaces)
      .catch((error: Error) => log.error("the store cannot write", { error: error.message }));
  }

  async #takeAgent(peer: AgentPeer): Promise<(link: Link) => LinkListener> {
    const dispatcher = this.#dispatcher;
    if (dispatcher) return (link) => dispatcher.accept(link, peer);
    if (this.#follower && !peer.isRelayed) return this.#follower.relay(peer);
    throw new ApiError("Unavailable", "this server does not lead", { retryAfterSeconds: 1 });
  }

  #wayTo(nodeName: string): NodeAccess {
    const { localNode, nodeAccess } = this.#options;
    if (localNode === undefined || nodeName === localNode) return nodeAccess;
    throw new ApiError("Unavailable", `there is no way to node "${nodeName}" at present; try again in a moment`, {
      retryAfterSeconds: 1,
    });
  }

  #ownApi(options: ControlPlaneOptions, kinds: readonly Kind[], context: PersonalityContext) {
    const { clock, log, version, hostname, strategy, personalities } = options;
    const declared = personalities.flatMap((personality) => personality.workloads?.(context) ?? []);
    return styrApi({
      store: this.store,
      clock,
      log,
      version,
      hostname,
      startedAtMs: clock.now(),
      kinds,
      sources: [...declared, replicatedSource("kubernetes", [replicationControllers])],
      nodeAccess: new PlaneAccess((nodeName) => this.#wayTo(nodeName)),
      dialects: personalities.map(({ name }) => name),
      process: () => this.#facts.read(),
      lifecycle: this.lifecycle,
      explain: explainer(this.#scheduler),
      copies: personalities.flatMap((personality) => personality.copies ?? []),
      strategy,
    });
  }
}

function kindsOf({ personalities }: Pick<ControlPlaneOptions, "personalities">): readonly Kind[] {
  return [...kernelKinds, ...personalities.flatMap((personality) => personality.kinds)];
}
