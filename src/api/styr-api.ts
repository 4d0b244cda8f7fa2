/**
 * Our own endpoints under /styr/v1: what the command line and the dashboard show across all dialects. They read the
 * store and explain it; what a dialect can say in its own API (create, scale, delete) is said there. docs/api.md.
 */

import type { Access } from "../http/actor.ts";
import type { Api, RequestContext, Route } from "../http/route.ts";
import { ApiError } from "../model/errors.ts";
import { events } from "../model/event.ts";
import { type Kind, keyOf, type StoredObject } from "../model/meta.ts";
import { nodes } from "../model/node.ts";
import { nodeDrains } from "../model/node-drain.ts";
import { pods } from "../model/pod.ts";
import type { InspectReport, NodeRow } from "../model/reports.ts";
import type { Workload } from "../model/workload.ts";
import { authorityRoutes } from "./authorities.ts";
import { brakeRoutes } from "./brake.ts";
import { certificateRoutes } from "./certificates.ts";
import type { StyrApiContext } from "./context.ts";
import { setCordoned } from "./cordon.ts";
import { drainRoutes } from "./drain.ts";
import { notFound, renderError } from "./errors.ts";
import { type EventEntry, eventsAbout, eventsOfNode, listEvents } from "./event-rows.ts";
import { execRoute } from "./exec.ts";
import { type Found, findWorkload } from "./find.ts";
import { forgetRoutes } from "./forget.ts";
import { joinRoutes } from "./join.ts";
import { endsWith, jsonLines } from "./json-lines.ts";
import { jsonList } from "./json-list.ts";
import { readLogs } from "./logs.ts";
import { metricsRoutes } from "./metrics.ts";
import { listNodes } from "./node-rows.ts";
import { pickedRows } from "./picked-rows.ts";
import { PodTally } from "./pod-tally.ts";
import { rebalanceRoutes } from "./rebalance.ts";
import { RowFeed } from "./row-feed.ts";
import { settingsRoutes } from "./settings.ts";
import { statusReport } from "./status.ts";
import { tokenRoutes } from "./tokens.ts";
import { usageRows } from "./usage.ts";
import { whyReport } from "./why.ts";
import { idOf, workloadRows } from "./workloads.ts";

export function styrApi(context: StyrApiContext): Api {
  const tally = new PodTally(context);
  return {
    name: "styr",
    prefixes: ["/styr", "/metrics"],
    routes: [
      ...workloadRoutes(context),
      ...nodeRoutes(context, tally),
      ...forgetRoutes(context),
      ...brakeRoutes(context),
      ...drainRoutes(context),
      ...rebalanceRoutes(context),
      ...settingsRoutes(context),
      ...tokenRoutes(context),
      ...joinRoutes(context),
      ...certificateRoutes(context),
      ...authorityRoutes(context),
      ...metricsRoutes(context, tally),
      ...storeRoutes(context, tally),
    ],
    sockets: [execRoute(context)],
    renderError,
    notFound,
  };
}

function workloadRoutes(context: StyrApiContext): readonly Route[] {
  const { store, clock, sources } = context;
  const list = () => workloadRows(store, sources, clock);
  const kinds = [pods, nodes, ...sources.flatMap((source) => source.kinds)];
  const workloads = new RowFeed<Workload>({ store, clock, kinds, list, id: idOf });
  const entries = async () => listEvents(store, await list(), clock);
  const allEvents = new RowFeed<EventEntry>({ store, clock, kinds: [events], list: entries, id: ({ row }) => row.id });
  const found = ({ params }: RequestContext) => findWorkload(context, params.name ?? "");
  return [
    get("/styr/v1/workloads", "workloads", (request) => rows(context, request, "workloads", workloads)),
    get("/styr/v1/workloads/:name", "workloads", async (request) =>
      Response.json(inspect(context, await found(request))),
    ),
    get("/styr/v1/workloads/:name/why", "workloads", async (request) =>
      Response.json(await whyReport(store, await found(request), context)),
    ),
    get("/styr/v1/workloads/:name/logs", "logs", async (request) => logs(context, request, await found(request))),
    {
      method: "GET",
      path: "/styr/v1/usage",
      access: { verb: "read", resource: "workloads" },
      async handle(_request, { url }) {
        const name = url.searchParams.get("workload");
        const one = name === null ? undefined : await findWorkload(context, name);
        const meant = one ? [{ ...one.workload, pods: one.pods }] : await list();
        return Response.json({ usage: await usageRows(context.nodeAccess, meant) });
      },
    },
    get("/styr/v1/events", "events", async ({ url, signal }) => {
      const name = url.searchParams.get("workload");
      const isMeant = name === null ? () => true : await eventsMeant(context, name);
      const rowOf = ({ row }: EventEntry) => row;
      if (!asksToWatch(url)) return jsonList("events", (await allEvents.list()).filter(isMeant).map(rowOf), clock);
      const cancel = endsWith(signal);
      return jsonLines(pickedRows(allEvents.watch(cancel.signal), isMeant, rowOf), cancel);
    }),
  ];
}

/** A workload's, or those of the node that has just this name. */
async function eventsMeant(context: StyrApiContext, name: string): Promise<(entry: EventEntry) => boolean> {
  try {
    return eventsAbout(await findWorkload(context, name));
  } catch (error) {
    const isUnknown = error instanceof ApiError && error.reason === "NotFound";
    if (isUnknown && context.store.get(nodes, name)) return eventsOfNode(name);
    throw error;
  }
}

function nodeRoutes(context: StyrApiContext, tally: PodTally): readonly Route[] {
  const { store, clock, lifecycle } = context;
  const list = () => listNodes({ ...context, tally });
  const feed = new RowFeed<NodeRow>({
    store,
    clock,
    kinds: [nodes, pods, nodeDrains],
    list,
    id: ({ name }) => name,
    // That a node is suspect is not stored.
    ...(lifecycle ? { anewEveryMs: 1000 } : {}),
  });
  const cordon = (method: "PUT" | "DELETE"): Route => ({
    method,
    path: "/styr/v1/nodes/:name/cordon",
    access: { verb: "write", resource: "nodes" },
    async handle(_request, { params, actor }) {
      await setCordoned(store, params.name ?? "", method === "PUT", actor.name);
      return new Response(null, { status: 204 });
    },
  });
  return [
    get("/styr/v1/nodes", "nodes", (request) => rows(context, request, "nodes", feed)),
    cordon("PUT"),
    cordon("DELETE"),
  ];
}

function storeRoutes(context: StyrApiContext, tally: PodTally): readonly Route[] {
  const { store, version, hostname } = context;
  return [
    get("/styr/v1/status", "status", async () => Response.json(await statusReport(context, tally))),
    get("/styr/v1/version", "status", () => Response.json({ version, node: hostname })),
    object("/styr/v1/objects/:kind", context, (kind) => Response.json({ objects: store.list(kind) })),
    object("/styr/v1/objects/:kind/:key", context, (kind, { params }) => {
      const found = store.get(kind, params.key ?? "");
      if (!found) throw new ApiError("NotFound", `there is no ${kind.name} "${params.key}"`, { kind: kind.name });
      return Response.json(found);
    }),
  ];
}

type Handle = (context: RequestContext) => Response | Promise<Response>;

function get(path: string, resource: string, handle: Handle, verb: Access["verb"] = "read"): Route {
  return { method: "GET", path, access: { verb, resource }, handle: async (_request, context) => handle(context) };
}

/** Stored objects as they are. Secrets lie among them, so this needs more than the right to look. */
function object(path: string, { kinds }: StyrApiContext, answer: (kind: Kind, request: RequestContext) => Response) {
  const handle = (request: RequestContext) => {
    const wanted = request.params.kind?.toLowerCase();
    const kind = kinds.find(({ name }) => name.toLowerCase() === wanted || `${name.toLowerCase()}s` === wanted);
    if (!kind) throw new ApiError("NotFound", `there is no kind "${request.params.kind}"; ${kindList(kinds)}`);
    return answer(kind, request);
  };
  return get(path, "objects", handle, "write");
}

function kindList(kinds: readonly Kind[]): string {
  return `kinds are ${kinds
    .map(({ name }) => name)
    .sort()
    .join(", ")}`;
}

/** `{field: rows}`, or with `?watch=true` a stream of changes, one JSON value per line. */
async function rows<Row>(
  { clock }: StyrApiContext,
  { url, signal }: RequestContext,
  field: string,
  feed: RowFeed<Row>,
): Promise<Response> {
  if (!asksToWatch(url)) return jsonList(field, await feed.list(), clock);
  const cancel = endsWith(signal);
  return jsonLines(feed.watch(cancel.signal), cancel);
}

function asksToWatch(url: URL): boolean {
  return url.searchParams.get("watch") === "true";
}

function logs({ nodeAccess }: StyrApiContext, { url, signal }: RequestContext, { pods: meant }: Found): Response {
  const query = url.searchParams;
  const container = query.get("container");
  const cancel = endsWith(signal);
  const lines = readLogs(nodeAccess, meant, {
    follow: query.get("follow") === "true",
    previous: query.get("previous") === "true",
    signal: cancel.signal,
    ...(container === null ? {} : { container }),
    ...wholeNumber(query, "tailLines"),
    ...wholeNumber(query, "sinceMs"),
  });
  return jsonLines(lines, cancel);
}

function wholeNumber(query: URLSearchParams, name: string): Readonly<Record<string, number>> {
  const text = query.get(name);
  if (text === null) return {};
  if (!/^\d{1,15}$/.test(text)) throw new ApiError("BadRequest", `${name} must be a whole number, not "${text}"`);
  return { [name]: Number(text) };
}

function inspect({ store, kinds }: StyrApiContext, { workload, pods: meant }: Found): InspectReport {
  const kind = kinds.find(({ name }) => name === workload.object.kind);
  const declaring = kind === undefined ? undefined : store.get(kind, workload.object.key);
  const copies = meant.flatMap(({ key }) => store.get(pods, key) ?? []);
  const others = copies.filter((pod) => pod.kind !== declaring?.kind || keyOf(pod) !== keyOf(declaring));
  const objects: readonly StoredObject[] = meant.length < workload.pods.length ? copies : others;
  return { workload, objects: declaring && objects === others ? [declaring, ...objects] : objects };
}
