/**
 * A control plane: the store, the dialects' routes, and, while it leads, all that watches and writes the store. Opens no
 * socket. One with a journal of its own leads from its start on; one of several follows until it is made to lead.
 */
import type { StyrApiContext } from "../api/context.ts";
import type { Joining } from "../api/joining.ts";
import { ServerDesk } from "../api/server-desk.ts";
import { styrApi } from "../api/styr-api.ts";
import { versioned } from "../api/versioned.ts";
import { replicatedSource } from "../api/workloads.ts";
import type { AuditLog } from "../audit/audit-log.ts";
import type { NodeLifecycle } from "../controllers/node-lifecycle/node-lifecycle.ts";
import { type AgentPeer, agentApi } from "../dispatcher/agent-api.ts";
import { type Mounted, mountApis, type Served } from "../http/mount.ts";
import type { Api, Elsewhere } from "../http/route.ts";
import { assert } from "../lib/assert.ts";
import type { MeterSet } from "../metrics/definition.ts";
import type { ServerMeters } from "../metrics/server-metrics.ts";
import { ApiError } from "../model/errors.ts";
import { kernelKinds } from "../model/kinds.ts";
import type { Kind } from "../model/meta.ts";
import { replicationControllers } from "../model/replication-controller.ts";
import type { NodeAccess } from "../model/streams.ts";
import type { Personality, PersonalityContext } from "../personalities/personality.ts";
import type { Clock } from "../seams/clock.ts";
import type { Link, LinkListener } from "../seams/link.ts";
import type { Log } from "../seams/log.ts";
import type { Random } from "../seams/random.ts";
import type { Journal, Leadership, SharedJournal } from "../store/journal.ts";
import { SealedJournal } from "../store/sealed/sealed-journal.ts";
import { Store } from "../store/store.ts";
import { ensureSystemNamespaces } from "../store/system-namespaces.ts";
import { meteredJournal } from "./metered/metered-journal.ts";
import { PlaneMeters } from "./metered/plane-meters.ts";
import { type ProcessFacts, systemProcessFacts } from "./process-facts.ts";
import { RequestIds } from "./request-ids.ts";
import { boundAudit, frontDeskOf } from "./server/front-desk.ts";
import { Leading, nodeStatesOf } from "./server/leading.ts";
import { PeerMounted } from "./server/peer-mounted.ts";
import { PlaneAccess } from "./server/plane-access.ts";

/** What a server does with what only the leader can do, while another leads. */
export interface Follower extends Elsewhere {
  /** Brings an agent's link to the leader. */
  relay(peer: AgentPeer): Promise<(link: Link) => LinkListener>;
}

export interface ControlPlaneOptions {
  /** One that does not seal leaves secrets in clear, and there are no backups. */
  readonly journal: Journal;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly personalities: readonly Personality[];
  readonly strategy: "spread" | "binpack";
  /** `host:port` that other programs reach us at. */
  readonly address: string;
  readonly hostname: string;
  /** By which the other servers know this one; default: the host's name. */
  readonly serverName?: string;
  /** What the store is kept in, in words. */
  readonly storePlace?: string;
  /** How hosts join here; absent = none can. */
  readonly joining?: Joining;
  readonly version: string;
  /** Logs, commands and usage of pods; asked for once the agent is there. */
  readonly nodeAccess: NodeAccess;
  /** The only node that `nodeAccess` reaches; the others are reached by their agents' links. Absent: it reaches all. */
  readonly localNode?: string;
  /** Default: of this process. */
  readonly processFacts?: ProcessFacts;
  /** Where it is written down who did what. */
  readonly audit?: AuditLog;
  /** Nobody may ask for more than the cluster's settings say. */
  readonly limits?: true;
  /** Routes of the process itself. */
  readonly moreApis?: readonly Api[];
  /** Where the server's parts count; those of the process, where more than one plane comes in its life. */
  readonly meters?: ServerMeters;
  /** When the certificates of this host end. */
  readonly certificates?: NonNullable<StyrApiContext["certificates"]>;
  /** What else the process shows in /metrics. */
  readonly moreMeters?: () => readonly MeterSet[];
}

/** Of a server that shares its journal with others. */
export interface SharedPlaneOptions extends Omit<ControlPlaneOptions, "journal"> {
  readonly journal: SharedJournal;
  /** What only a leader can do, done by the leader. */
  readonly follower: Follower;
  /** The journal can no longer be followed: another plane has to be opened. */
  readonly onLost: (reason: string) => void;
}

export class ControlPlane {
  readonly store: Store;
  readonly mounted: Mounted;
  readonly #options: Omit<ControlPlaneOptions, "journal">;
  readonly #follower: Follower | undefined;
  readonly #kinds: readonly Kind[];
  readonly #context: PersonalityContext;
  readonly #facts: ProcessFacts;
  readonly #counting: PlaneMeters;
  readonly #sealed: SealedJournal | undefined;
  #leading: Leading | undefined;
  #term: number | undefined;

  /** With a journal of its own it always leads, from `start` on. */
  static async open(options: ControlPlaneOptions): Promise<ControlPlane> {
    const { clock, random, log } = options;
    const kinds = kindsOf(options);
    const counting = new PlaneMeters(options);
    const journal = meteredJournal(options.journal, clock, counting.meters);
    const store = await Store.open({ kinds, journal, clock, random: random.fork("store"), log });
    const plane = new ControlPlane(options, store, kinds, counting);
    counting.standing(() => ({ leads: true, knowsLeader: true, term: undefined }));
    plane.#leading = plane.#newLeading();
    await plane.#ensureBasics();
    return plane;
  }

  /** Follows whoever leads, until `lead`. */
  static async openFollowing(options: SharedPlaneOptions): Promise<ControlPlane> {
    const { clock, random, log, follower, onLost } = options;
    const kinds = kindsOf(options);
    const counting = new PlaneMeters(options);
    const journal = meteredJournal(options.journal, clock, counting.meters);
    const store = await Store.openFollowing({ kinds, journal, clock, random: random.fork("store"), log, onLost });
    const plane = new ControlPlane(options, store, kinds, counting, follower);
    counting.standing(() => ({ leads: plane.leads, knowsLeader: journal.leader !== undefined, term: plane.#term }));
    return plane;
  }

  private constructor(
    options: ControlPlaneOptions,
    store: Store,
    kinds: readonly Kind[],
    counting: PlaneMeters,
    follower?: Follower,
  ) {
    this.store = store;
    this.#sealed = options.journal instanceof SealedJournal ? options.journal : undefined;
    this.#counting = counting;
    this.#options = options;
    this.#follower = follower;
    this.#kinds = kinds;
    this.#context = { ...options, store };
    this.#facts = options.processFacts ?? systemProcessFacts();
    this.mounted = this.#mount();
  }

  /** Whether what is asked of it is done here. */
  get leads(): boolean {
    return this.#leading !== undefined;
  }

  get revision(): number {
    return this.store.revision;
  }

  /** Where agents' heartbeats go, of a plane that leads. */
  get lifecycle(): NodeLifecycle {
    assert(this.#leading, "a plane that follows keeps no leases");
    return this.#leading.lifecycle;
  }

  /** Begins what a leader does. */
  start(): void {
    assert(this.#leading, "a plane that shares its journal begins with lead()");
    this.#leading.start();
  }

  /** Resolves when the leadership is lost and all that leads has stopped. The store goes on, and whoever watches it notices nothing. */
  async lead(leadership: Leadership): Promise<void> {
    this.store.lead(leadership);
    const leading = this.#newLeading();
    const lost = Promise.withResolvers<void>();
    // At once: what comes from now on goes to whoever leads next.
    const end = () => {
      if (this.#leading === leading) this.#leading = undefined;
      lost.resolve();
    };
    if (leadership.lost.aborted) return;
    leadership.lost.addEventListener("abort", end, { once: true });
    this.#leading = leading;
    this.#term = leadership.term;
    leading.start();
    await this.#ensureBasics();
    await lost.promise;
    await leading.stop();
  }

  /** Leads no more; resolves when what it had begun to write is written. The right to write is still to be given up. */
  async release(): Promise<void> {
    const leading = this.#leading;
    this.#leading = undefined;
    await leading?.stop();
    await this.store.update(() => undefined);
  }

  /** What is stored stays; what runs goes on running. */
  async stop(): Promise<void> {
    await this.#leading?.stop();
    await this.store.close();
    this.#facts.stop();
  }

  #newLeading(): Leading {
    const counting = this.#counting;
    return new Leading({
      plane: this.#options,
      store: this.store,
      kinds: this.#kinds,
      context: this.#context,
      counting,
      ...(this.#sealed ? { sealed: this.#sealed } : {}),
    });
  }

  #mount(): Mounted {
    const { personalities, version, log, clock, random, moreApis = [], audit } = this.#options;
    const desk = frontDeskOf(this.store, clock, log, this.#options.limits === true);
    const apis = [
      ...personalities.map((personality) => personality.api(this.#context)),
      styrApi(this.#ownContext()),
      agentApi({ version, open: (peer) => this.#takeAgent(peer) }),
      ...moreApis,
    ].map((api) => versioned(api, version));
    const ids = new RequestIds(random, log);
    const onBug = (error: unknown, route: string, request: Request) => {
      const why = error instanceof Error ? error.stack : String(error);
      log.error("a request met a bug", { request: ids.of(request), route, error: why });
    };
    const served = (one: Served) => {
      this.#counting.served(one);
      audit?.served(one, this.store.revision);
    };
    boundAudit(audit, this.store);
    this.#counting.meters.provide("styr_audit_dropped_total", () => audit?.lost ?? 0);
    const elsewhere = () => (this.leads ? undefined : this.#follower);
    const mounted = mountApis(apis, served, onBug, elsewhere, desk, () => clock.monotonic());
    return new PeerMounted(ids.mounted(this.#counting.mounted(mounted)), this);
  }

  /** A store that cannot write still serves reads, and everything that runs goes on. */
  async #ensureBasics(): Promise<void> {
    const { log } = this.#options;
    await this.store
      .update(ensureSystemNamespaces)
      .catch((error: Error) => log.error("the store cannot write", { error: error.message }));
  }

  async #takeAgent(peer: AgentPeer): Promise<(link: Link) => LinkListener> {
    const dispatcher = this.#leading?.dispatcher;
    if (dispatcher) return this.#counting.link((link) => dispatcher.accept(link, peer));
    if (this.#follower && !peer.isRelayed) return this.#follower.relay(peer);
    throw new ApiError("Unavailable", "this server does not lead", { retryAfterSeconds: 1 });
  }

  #wayTo(nodeName: string): NodeAccess {
    const { localNode, nodeAccess } = this.#options;
    if (localNode === undefined || nodeName === localNode) return nodeAccess;
    const dispatcher = this.#leading?.dispatcher;
    if (dispatcher) return dispatcher.access;
    throw new ApiError("Unavailable", `there is no way to node "${nodeName}" at present; try again in a moment`, {
      retryAfterSeconds: 1,
    });
  }

  /** What is about this server among others. */
  #serverContext(): Pick<StyrApiContext, "servers" | "isLed" | "storePlace" | "joining"> {
    const { hostname, serverName: name = hostname, storePlace, joining, clock } = this.#options;
    const leadsSinceMs = () => this.#leading?.startedAtMs;
    return {
      servers: new ServerDesk({ store: this.store, clock, name, leadsSinceMs }),
      isLed: () => this.leads || this.#follower?.isThere === true,
      ...(storePlace === undefined ? {} : { storePlace }),
      ...(joining ? { joining } : {}),
    };
  }

  #ownContext(): StyrApiContext {
    const { clock, log, version, hostname, strategy, personalities, certificates } = this.#options;
    const declared = personalities.flatMap((personality) => personality.workloads?.(this.#context) ?? []);
    return {
      store: this.store,
      ...{ clock, log, version, hostname, strategy },
      startedAtMs: clock.now(),
      kinds: this.#kinds,
      sources: [...declared, replicatedSource("kubernetes", [replicationControllers])],
      nodeAccess: new PlaneAccess((nodeName) => this.#wayTo(nodeName)),
      dialects: personalities.map(({ name }) => name),
      process: () => this.#facts.read(),
      meters: this.#counting.meters,
      ...(this.#options.audit ? { audit: this.#options.audit } : {}),
      ...(certificates === undefined ? {} : { certificates }),
      moreMeters: () => this.#options.moreMeters?.() ?? [],
      lifecycle: nodeStatesOf(() => this.#leading),
      ...this.#serverContext(),
      ...(this.#sealed ? { sealed: this.#sealed, sealing: () => this.#leading?.sealing } : {}),
      explain: (pod) => this.#leading?.explain(pod),
      copies: personalities.flatMap((personality) => personality.copies ?? []),
    };
  }
}

function kindsOf({ personalities }: Pick<ControlPlaneOptions, "personalities">): readonly Kind[] {
  return [...kernelKinds, ...personalities.flatMap((personality) => personality.kinds)];
}
