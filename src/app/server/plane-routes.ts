/** The routes of a control plane, and what their handlers know: of the store always, of what leads while it does. */
import type { StyrApiContext } from "../../api/context.ts";
import { replicatedSource } from "../../api/replicated-source.ts";
import { ServerDesk } from "../../api/server-desk.ts";
import { styrApi } from "../../api/styr-api.ts";
import { versioned } from "../../api/versioned.ts";
import { type AgentPeer, agentApi } from "../../dispatcher/agent-api.ts";
import { type Mounted, mountApis, type Served } from "../../http/mount.ts";
import type { Api } from "../../http/route.ts";
import { ApiError } from "../../model/errors.ts";
import type { Kind } from "../../model/meta.ts";
import { replicationControllers } from "../../model/replication-controller.ts";
import type { NodeAccess } from "../../model/streams.ts";
import type { PersonalityContext } from "../../personalities/personality.ts";
import type { Link, LinkListener } from "../../seams/link.ts";
import type { SealedJournal } from "../../store/sealed/sealed-journal.ts";
import type { Store } from "../../store/store.ts";
import type { PlaneMeters } from "../metered/plane-meters.ts";
import type { ProcessFacts } from "../process-facts.ts";
import { RequestIds } from "../request-ids.ts";
import { boundAudit, frontDeskOf } from "./front-desk.ts";
import { type Leading, nodeStatesOf } from "./leading.ts";
import { PeerMounted } from "./peer-mounted.ts";
import { PlaneAccess } from "./plane-access.ts";
import type { ControlPlaneOptions, Follower } from "./plane-options.ts";

export interface PlaneParts {
  readonly options: Omit<ControlPlaneOptions, "journal">;
  readonly store: Store;
  readonly kinds: readonly Kind[];
  readonly context: PersonalityContext;
  readonly facts: ProcessFacts;
  readonly counting: PlaneMeters;
  readonly sealed: SealedJournal | undefined;
  readonly follower: Follower | undefined;
  /** Which members of the store do not answer. */
  storeTrouble(): Promise<string | undefined>;
  leading(): Leading | undefined;
}

export function mountPlane(parts: PlaneParts): Mounted {
  const { options, store, counting, follower, leading } = parts;
  const { log, clock, random, audit } = options;
  const desk = frontDeskOf(store, clock, log, options.limits === true);
  const ids = new RequestIds(random, log);
  const onBug = (error: unknown, route: string, request: Request) => {
    const why = error instanceof Error ? error.stack : String(error);
    log.error("a request met a bug", { request: ids.of(request), route, error: why });
  };
  const served = (one: Served) => {
    counting.served(one);
    audit?.served(one, store.revision);
  };
  boundAudit(audit, store);
  counting.meters.provide("styr_audit_dropped_total", () => audit?.lost ?? 0);
  const elsewhere = () => (leading() ? undefined : follower);
  const mounted = mountApis(apisOf(parts), served, onBug, elsewhere, desk, () => clock.monotonic());
  return new PeerMounted(ids.mounted(counting.mounted(mounted)), {
    get leads() {
      return leading() !== undefined;
    },
    get revision() {
      return store.revision;
    },
  });
}

function apisOf(parts: PlaneParts): readonly Api[] {
  const { options, context } = parts;
  const { personalities, version, moreApis = [] } = options;
  const apis = [
    ...personalities.map((personality) => personality.api(context)),
    styrApi(ownContext(parts)),
    agentApi({ version, open: (peer) => takeAgent(parts, peer) }),
    ...moreApis,
  ];
  return apis.map((api) => versioned(api, version));
}

async function takeAgent(
  { leading, counting, follower }: PlaneParts,
  peer: AgentPeer,
): Promise<(link: Link) => LinkListener> {
  const dispatcher = leading()?.dispatcher;
  if (dispatcher) return counting.link((link) => dispatcher.accept(link, peer));
  if (follower && !peer.isRelayed) return follower.relay(peer);
  throw new ApiError("Unavailable", "this server does not lead", { retryAfterSeconds: 1 });
}

function wayTo({ options, leading }: PlaneParts, nodeName: string): NodeAccess {
  const { localNode, nodeAccess } = options;
  if (localNode === undefined || nodeName === localNode) return nodeAccess;
  const dispatcher = leading()?.dispatcher;
  if (dispatcher) return dispatcher.access;
  throw new ApiError("Unavailable", `there is no way to node "${nodeName}" at present; try again in a moment`, {
    retryAfterSeconds: 1,
  });
}

function ownContext(parts: PlaneParts): StyrApiContext {
  const { options, store, context, facts, counting, leading } = parts;
  const { clock, log, version, hostname, strategy, personalities, certificates, audit } = options;
  const declared = personalities.flatMap((personality) => personality.workloads?.(context) ?? []);
  return {
    store,
    ...{ clock, log, version, hostname, strategy },
    startedAtMs: clock.now(),
    kinds: parts.kinds,
    sources: [...declared, replicatedSource("kubernetes", [replicationControllers])],
    ...(context.publishers === undefined ? {} : { publishers: context.publishers }),
    nodeAccess: new PlaneAccess((nodeName) => wayTo(parts, nodeName)),
    dialects: personalities.map(({ name }) => name),
    process: () => facts.read(),
    meters: counting.meters,
    ...(audit ? { audit } : {}),
    ...(certificates === undefined ? {} : { certificates }),
    isStranger: (address) => options.isStranger?.(address) ?? false,
    untaken: (node) => options.untaken?.(node),
    moreMeters: () => options.moreMeters?.() ?? [],
    lifecycle: nodeStatesOf(leading),
    ...serverContext(parts),
    explain: (pod) => leading()?.explain(pod),
    copies: personalities.flatMap((personality) => personality.copies ?? []),
  };
}

/** What is about this server among others, and about its store. */
function serverContext({
  options,
  store,
  sealed,
  follower,
  leading,
  storeTrouble,
}: PlaneParts): Partial<StyrApiContext> {
  const { hostname, serverName: name = hostname, storePlace, joining, clock } = options;
  const leadsSinceMs = () => leading()?.startedAtMs;
  return {
    servers: new ServerDesk({ store, clock, name, leadsSinceMs }),
    storeTrouble,
    isLed: () => leading() !== undefined || follower?.isThere === true,
    ...(storePlace === undefined ? {} : { storePlace }),
    ...(joining ? { joining } : {}),
    ...(sealed ? { sealed, sealing: () => leading()?.sealing } : {}),
  };
}
