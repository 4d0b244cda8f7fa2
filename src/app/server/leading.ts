/** What a server does only while it leads: it controls, places, keeps the leases of nodes, and listens to their agents. */

import type { Authority } from "../../acme/authority.ts";
import type { CertificateOrders } from "../../acme/certificate-orders.ts";
import type { Explainer } from "../../api/explainer.ts";
import type { Joining } from "../../api/joining.ts";
import { caRotation } from "../../controllers/ca-rotation.ts";
import type { Controller } from "../../controllers/controller.ts";
import { cordonTaint } from "../../controllers/cordon-taint.ts";
import { drainController } from "../../controllers/drain/drain-controller.ts";
import { apiServiceController } from "../../controllers/endpoint-slices/api-service-controller.ts";
import { endpointSlicesController } from "../../controllers/endpoint-slices/endpoint-slices-controller.ts";
import { endpointsController } from "../../controllers/endpoints-controller.ts";
import { eventRetention } from "../../controllers/event-retention.ts";
import { garbageCollector } from "../../controllers/garbage-collector.ts";
import { ingressStatus } from "../../controllers/ingress-status.ts";
import { namespaceController } from "../../controllers/namespace.ts";
import { NodeLifecycle } from "../../controllers/node-lifecycle/node-lifecycle.ts";
import { rebalanceController } from "../../controllers/rebalance/rebalance-controller.ts";
import { replicationController } from "../../controllers/replication-controller.ts";
import { ControllerRunner } from "../../controllers/runner.ts";
import { taintEviction } from "../../controllers/taint-eviction.ts";
import { Directory } from "../../directory/directory.ts";
import { LeftOutNews } from "../../directory/left-out-news.ts";
import { SilentNodes } from "../../directory/silent-nodes.ts";
import { directorySources } from "../../directory/sources.ts";
import { Dispatcher } from "../../dispatcher/dispatcher.ts";
import { CLUSTER_SETTINGS_NAME, clusterSettings, settingsInForce } from "../../model/cluster-settings.ts";
import { publishedRoutes } from "../../model/discovery.ts";
import type { LeaseDesk } from "../../model/heartbeat.ts";
import type { Kind } from "../../model/meta.ts";
import { nodes } from "../../model/node.ts";
import type { NodeStates } from "../../model/node-state.ts";
import type { Pod } from "../../model/pod.ts";
import type { WorkloadReader } from "../../model/workload.ts";
import type { Personality, PersonalityContext } from "../../personalities/personality.ts";
import { Scheduler } from "../../scheduling/scheduler.ts";
import type { Clock } from "../../seams/clock.ts";
import type { Log } from "../../seams/log.ts";
import type { Random } from "../../seams/random.ts";
import type { SealedJournal } from "../../store/sealed/sealed-journal.ts";
import { Sealing } from "../../store/sealed/sealing.ts";
import type { Store } from "../../store/store.ts";
import { explainer } from "../explainer.ts";
import type { PlaneMeters } from "../metered/plane-meters.ts";
import { certificateDesk } from "./certificate-desk.ts";
import { clusterNews, followNews } from "./cluster-news.ts";

export interface LeadingOptions {
  readonly plane: {
    readonly clock: Clock;
    readonly random: Random;
    readonly log: Log;
    readonly personalities: readonly Personality[];
    readonly strategy: "spread" | "binpack";
    readonly joining?: Joining;
    readonly authority?: Authority;
    readonly packText?: (text: string) => Promise<string>;
  };
  readonly store: Store;
  readonly kinds: readonly Kind[];
  readonly context: PersonalityContext;
  readonly counting: PlaneMeters;
  /** Absent: secrets lie in clear. */
  readonly sealed?: SealedJournal;
}

export class Leading {
  readonly lifecycle: NodeLifecycle;
  readonly explain: Explainer;
  readonly startedAtMs: number;
  /** The keys that secrets are sealed with. */
  readonly sealing: Sealing | undefined;
  /** What every node is told of the network. */
  readonly directory: Directory;
  readonly #silence: SilentNodes;
  readonly #leftOut: LeftOutNews;
  readonly #options: LeadingOptions;
  readonly #scheduler: Scheduler;
  readonly #runner: ControllerRunner;
  readonly #stopping = new AbortController();
  readonly #certificates: CertificateOrders | undefined;
  #dispatcher: Dispatcher | undefined;

  constructor(options: LeadingOptions) {
    const { store, plane, counting, kinds, sealed, context } = options;
    const { clock, random, log, strategy } = plane;
    if (sealed)
      this.sealing = new Sealing({ store, vault: sealed.vault, kinds, clock, log, scrub: () => sealed.scrub() });
    this.#options = options;
    this.startedAtMs = clock.now();
    this.#scheduler = new Scheduler({ store, clock, random, log, strategy });
    this.explain = explainer(this.#scheduler);
    this.lifecycle = new NodeLifecycle({ store, clock, log: log.with({ component: "node-lifecycle" }) });
    this.#leftOut = new LeftOutNews({ store, clock, log: log.with({ component: "directory" }) });
    this.directory = this.#newDirectory();
    this.#silence = this.#newSilence();
    const { authority } = plane;
    const routes = [(reader: WorkloadReader) => publishedRoutes(context.publishers ?? [], reader)];
    const desk = { store, clock, log, directory: this.directory, routes };
    if (authority) this.#certificates = certificateDesk({ ...desk, authority });
    this.#runner = new ControllerRunner({
      ...{ store, controllers: this.#controllers(), clock, random, log },
      onReconciled: (controller, tookMs) => counting.reconciled(controller, tookMs),
      onFailed: (controller) => counting.failed(controller),
    });
  }

  /** Where agents' heartbeats go. */
  get leases(): LeaseDesk {
    return this.#silence;
  }

  /** Agents' links; absent before the start. */
  get dispatcher(): Dispatcher | undefined {
    return this.#dispatcher;
  }

  start(): void {
    const { store, counting } = this.#options;
    this.#runner.start();
    this.#scheduler.start();
    this.lifecycle.start();
    this.directory.start();
    this.#silence.expect(store.list(nodes).map(({ metadata }) => metadata.name));
    this.sealing?.resealer.start();
    this.#certificates?.start();
    this.#dispatcher = this.#dispatch();
    const agents = () => this.#dispatcher?.sessions ?? 0;
    const streams = () => this.#dispatcher?.streams ?? 0;
    const { signal } = this.#stopping;
    counting.follow({ store, runner: this.#runner, scheduler: this.#scheduler, agents, streams, signal });
  }

  #dispatch(): Dispatcher {
    const { store, plane } = this.#options;
    const { clock, log, joining } = plane;
    const news = () => joining && clusterNews(store, joining);
    const { leases, directory } = this;
    const dispatcher = new Dispatcher({ store, clock, log, leases, news, directory });
    void followNews(store, () => dispatcher.tellNews(), this.#stopping.signal);
    return dispatcher;
  }

  #newDirectory(): Directory {
    const { store, plane, context } = this.#options;
    const { clock, log, personalities, packText } = plane;
    const discover = personalities.flatMap((personality) => personality.discover ?? []);
    const { publishers = [], address } = context;
    const sources = () => directorySources({ discovery: { discover, publishers }, address, leftOut: this.#leftOut });
    const pack = packText === undefined ? {} : { pack: packText };
    return new Directory({ store, clock, log: log.with({ component: "directory" }), sources, ...pack });
  }

  #newSilence(): SilentNodes {
    const { store, plane } = this.#options;
    return new SilentNodes({
      ...{ desk: this.lifecycle, clock: plane.clock },
      terms: () => settingsInForce(store.get(clusterSettings, CLUSTER_SETTINGS_NAME)),
      isKnown: (node) => store.get(nodes, node) !== undefined,
      changed: (silent) => this.directory.setSilent(silent),
    });
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#certificates?.stop();
    this.#silence.stop();
    this.#dispatcher?.stop();
    this.directory.stop();
    this.#leftOut.stop();
    await this.sealing?.resealer.stop();
    await this.lifecycle.stop();
    await this.#runner.stop();
    await this.#scheduler.stop();
  }

  #controllers(): readonly Controller[] {
    const { plane, kinds, context } = this.#options;
    const { clock, personalities } = plane;
    const moves = {
      clock,
      copies: personalities.flatMap((personality) => personality.copies ?? []),
      elsewhere: (pod: Pod, stopsFirst: boolean) => this.#scheduler.successorOf(pod, stopsFirst),
    };
    return [
      replicationController,
      endpointsController,
      endpointSlicesController,
      apiServiceController,
      garbageCollector(kinds),
      namespaceController(kinds),
      eventRetention(),
      cordonTaint,
      taintEviction(),
      caRotation,
      ingressStatus,
      drainController(moves),
      rebalanceController(moves),
      ...personalities.flatMap((personality) => personality.controllers(context)),
    ];
  }
}

/** What the own API asks of the lifecycle, whether this server leads or not. */
export function nodeStatesOf(leading: () => Leading | undefined): NodeStates {
  return {
    stateOf: (nodeName) => leading()?.lifecycle.stateOf(nodeName),
    get brake() {
      return leading()?.lifecycle.brake;
    },
    get moves() {
      return leading()?.lifecycle.moves ?? { done: 0 };
    },
    releaseBrake: (nodeNames, by) => leading()?.lifecycle.releaseBrake(nodeNames, by) ?? [],
  };
}
