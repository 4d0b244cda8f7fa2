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
import { type Mounted, mountApis } from "../http/mount.ts";
import type { Api } from "../http/route.ts";
import { kernelKinds } from "../model/kinds.ts";
import type { Kind } from "../model/meta.ts";
import type { Pod } from "../model/pod.ts";
import { replicationControllers } from "../model/replication-controller.ts";
import type { NodeAccess } from "../model/streams.ts";
import type { Personality, PersonalityContext } from "../personalities/personality.ts";
import { Scheduler } from "../scheduling/scheduler.ts";
import type { Clock } from "../seams/clock.ts";
import type { Log } from "../seams/log.ts";
import type { Random } from "../seams/random.ts";
import type { Journal } from "../store/journal.ts";
import { Store } from "../store/store.ts";
import { ensureSystemNamespaces } from "../store/system-namespaces.ts";
import { explainer } from "./explainer.ts";
import { type ProcessFacts, systemProcessFacts } from "./process-facts.ts";

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
  readonly #runner: ControllerRunner;
  readonly #scheduler: Scheduler;
  readonly #facts: ProcessFacts;

  static async open(options: ControlPlaneOptions): Promise<ControlPlane> {
    const { journal, clock, random, log, personalities } = options;
    const kinds = [...kernelKinds, ...personalities.flatMap((personality) => personality.kinds)];
    const store = await Store.open({ kinds, journal, clock, random: random.fork("store"), log });
    // A store that cannot write still serves reads, and everything that runs goes on.
    await store
      .update(ensureSystemNamespaces)
      .catch((error: Error) => log.error("the store cannot write", { error: error.message }));
    return new ControlPlane(options, store, kinds);
  }

  private constructor(options: ControlPlaneOptions, store: Store, kinds: readonly Kind[]) {
    const { clock, random, log, personalities, strategy } = options;
    const context: PersonalityContext = { ...options, store };
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
      ...(options.moreApis ?? []),
    ].map((api) => versioned(api, options.version));
    this.mounted = mountApis(apis, undefined, (error, route) =>
      log.error("a request met a bug", { route, error: error instanceof Error ? error.stack : String(error) }),
    );
  }

  start(): void {
    this.#runner.start();
    this.#scheduler.start();
    this.lifecycle.start();
  }

  /** What is stored stays; what runs goes on running. */
  async stop(): Promise<void> {
    await this.lifecycle.stop();
    await this.#runner.stop();
    await this.#scheduler.stop();
    await this.store.close();
    this.#facts.stop();
  }

  #ownApi(options: ControlPlaneOptions, kinds: readonly Kind[], context: PersonalityContext) {
    const { clock, log, version, hostname, strategy, nodeAccess, personalities } = options;
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
      nodeAccess,
      dialects: personalities.map(({ name }) => name),
      process: () => this.#facts.read(),
      lifecycle: this.lifecycle,
      explain: explainer(this.#scheduler),
      copies: personalities.flatMap((personality) => personality.copies ?? []),
      strategy,
    });
  }
}
