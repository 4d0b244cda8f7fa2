import type { RequestContext, Route } from "../http/route.ts";
import type { Clock } from "../seams/clock.ts";
import { endsWith, jsonLines } from "./json-lines.ts";
import { jsonList } from "./json-list.ts";
import { type Part, partOf } from "./own-part.ts";
import { pickedRows } from "./picked-rows.ts";
import type { RowFeed } from "./row-feed.ts";

/** A GET whose answer keeps to what of the cluster its asker may see. */
export function readOwnPart(
  path: string,
  resource: string,
  handle: (part: Part, context: RequestContext) => Response | Promise<Response>,
): Route {
  const access = { verb: "read", resource, reach: "own part" } as const;
  return {
    method: "GET",
    path,
    access,
    handle: async (_request, context) => handle(partOf(context.actor, access), context),
  };
}

/** The same, answered by the server that leads: it needs what that one has in memory beside the store. */
export function atLeader(route: Route): Route {
  return { ...route, atLeader: true };
}

/** … or, while none leads, by the one that is asked, as well as it can. */
export function atLeaderIfAny(route: Route): Route {
  return { ...route, atLeader: "if any" };
}

export interface Listed<Row, Shown> {
  readonly field: string;
  readonly feed: RowFeed<Row>;
  readonly clock: Clock;
  /** Undefined: every row is. */
  readonly isMeant: ((row: Row) => boolean) | undefined;
  readonly rowOf: (row: Row) => Shown;
}

/** `{field: rows}`, or with `?watch=true` a stream of changes, one JSON value per line. The feed is shared; what is picked of it is each watcher's own. */
export async function listOrWatch<Row, Shown>(
  { field, feed, clock, isMeant, rowOf }: Listed<Row, Shown>,
  url: URL,
  signal: AbortSignal,
): Promise<Response> {
  if (url.searchParams.get("watch") !== "true") {
    const all = await feed.list();
    return jsonList(field, (isMeant ? all.filter(isMeant) : all).map(rowOf), clock);
  }
  const cancel = endsWith(signal);
  return jsonLines(pickedRows(feed.watch(cancel.signal), isMeant ?? (() => true), rowOf), cancel);
}
