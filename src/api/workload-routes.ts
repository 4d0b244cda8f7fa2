/** /styr/v1/workloads, /usage and /events: what is wanted, what runs and what happened, of the part of the cluster that the asker may see. */
import type { Access } from "../http/actor.ts";
import type { RequestContext, Route } from "../http/route.ts";
import { ApiError } from "../model/errors.ts";
import { events } from "../model/event.ts";
import { exposures } from "../model/exposure.ts";
import { ingresses } from "../model/ingress.ts";
import { type Kind, keyOf, type StoredObject } from "../model/meta.ts";
import { nodes } from "../model/node.ts";
import { pods } from "../model/pod.ts";
import type { InspectReport } from "../model/reports.ts";
import type { Workload } from "../model/workload.ts";
import type { StyrApiContext } from "./context.ts";
import { type EventEntry, eventsAbout, eventsOfNode, eventsOfRoutes, listEvents } from "./event-rows.ts";
import { type Found, findWorkload } from "./find.ts";
import { endsWith, jsonLines } from "./json-lines.ts";
import { readLogs } from "./logs.ts";
import { namespaceOfKey, namespaceOfWorkload, type Part, sees } from "./own-part.ts";
import { atLeader, atLeaderIfAny, listOrWatch, readOwnPart } from "./own-part-routes.ts";
import { withRouteUrls } from "./route-urls.ts";
import { RowFeed } from "./row-feed.ts";
import { usageRows } from "./usage.ts";
import { whyReport } from "./why.ts";
import { identified, idOf } from "./workload-id.ts";
import { workloadRows } from "./workloads.ts";

export function workloadRoutes(context: StyrApiContext): readonly Route[] {
  const { store, clock, sources } = context;
  const list = async () => withRouteUrls(store, context, await workloadRows(store, sources, clock));
  const own = sources.flatMap((source) => source.kinds);
  const kinds = [pods, nodes, ingresses, exposures, ...own] as unknown as readonly Kind[];
  const feed = new RowFeed<Workload>({ store, clock, kinds, list, id: idOf });
  const of = (
    path: string,
    answer: (found: Found, request: RequestContext) => Response | Promise<Response>,
    resource: Access["resource"] = "workloads",
  ) =>
    readOwnPart(`/styr/v1/workloads/:name${path}`, resource, async (part, request) =>
      answer(await findWorkload(context, request.params.name ?? "", part), request),
    );
  return [
    readOwnPart("/styr/v1/workloads", "workloads", (part, { url, signal }) =>
      listOrWatch({ field: "workloads", feed, clock, isMeant: meantBy(part), rowOf: (row) => row }, url, signal),
    ),
    of("", (found) => Response.json(inspect(context, found))),
    // While none leads all but the scheduler can be asked.
    atLeaderIfAny(of("/why", async (found) => Response.json(await whyReport(store, found, context)))),
    atLeader(of("/logs", (found, request) => logs(context, request, found), "logs")),
    atLeader(usageRoute(context, list)),
    eventRoute(context, list),
  ];
}

function usageRoute(context: StyrApiContext, list: () => Promise<readonly Workload[]>): Route {
  return readOwnPart("/styr/v1/usage", "workloads", async (part, { url }) => {
    const name = url.searchParams.get("workload");
    const one = name === null ? undefined : await findWorkload(context, name, part);
    const isMeant = meantBy(part) ?? (() => true);
    const meant = one ? [{ ...one.workload, pods: one.pods }] : (await list()).filter(isMeant);
    return Response.json({ usage: await usageRows(context.nodeAccess, meant) });
  });
}

function meantBy(part: Part): ((workload: Workload) => boolean) | undefined {
  return part && ((workload) => sees(part, namespaceOfWorkload(workload)));
}

function eventRoute(context: StyrApiContext, list: () => Promise<readonly Workload[]>): Route {
  const { store, clock } = context;
  const entries = async () => listEvents(store, await list(), clock);
  const feed = new RowFeed<EventEntry>({ store, clock, kinds: [events], list: entries, id: ({ row }) => row.id });
  return readOwnPart("/styr/v1/events", "events", async (part, { url, signal }) => {
    const name = url.searchParams.get("workload");
    const isAsked = name === null ? undefined : await eventsMeant(context, name, part);
    const isMeant =
      part === undefined ? isAsked : (entry: EventEntry) => isSeen(entry, part) && (isAsked?.(entry) ?? true);
    return listOrWatch({ field: "events", feed, clock, isMeant, rowOf: ({ row }) => row }, url, signal);
  });
}

/** What happened to nodes and to the cluster is stored in "default", and is no affair of that namespace. */
function isSeen({ row, about, owner }: EventEntry, part: ReadonlySet<string>): boolean {
  if (owner !== undefined) return sees(part, namespaceOfWorkload(identified(owner)));
  const namespace = namespaceOfKey(row.id);
  return row.about.startsWith(`${about.kind} ${namespace}/`) && sees(part, namespace);
}

/** A workload's, and those of routes of this name or host, or those of the node that has just this name. */
async function eventsMeant(context: StyrApiContext, name: string, part: Part): Promise<(entry: EventEntry) => boolean> {
  const ofRoutes = eventsOfRoutes(context.store, name, part);
  try {
    const ofWorkload = eventsAbout(await findWorkload(context, name, part));
    return (entry) => ofWorkload(entry) || ofRoutes?.(entry) === true;
  } catch (error) {
    const isUnknown = error instanceof ApiError && error.reason === "NotFound";
    const ofNode = context.store.get(nodes, name) ? eventsOfNode(name) : undefined;
    if (!isUnknown || (ofNode ?? ofRoutes) === undefined) throw error;
    return (entry) => ofNode?.(entry) === true || ofRoutes?.(entry) === true;
  }
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

function inspect({ store, kinds, publishers = [] }: StyrApiContext, { workload, pods: meant }: Found): InspectReport {
  const kind = kinds.find(({ name }) => name === workload.object.kind);
  const declaring = kind === undefined ? undefined : store.get(kind, workload.object.key);
  const copies = meant.flatMap(({ key }) => store.get(pods, key) ?? []);
  const [shown = workload] = withRouteUrls(store, { publishers }, [workload]);
  const others = copies.filter((pod) => pod.kind !== declaring?.kind || keyOf(pod) !== keyOf(declaring));
  const objects: readonly StoredObject[] = meant.length < workload.pods.length ? copies : others;
  return { workload: shown, objects: declaring && objects === others ? [declaring, ...objects] : objects };
}
