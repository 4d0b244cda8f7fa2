import type { NetworkStatusAnswer } from "../model/network-questions.ts";
import { isNodeReady, nodes } from "../model/node.ts";
import type { RouteRow, RoutesReport } from "../model/route-row.ts";
import { routeKey } from "../model/way-in/route-key.ts";
import { askNode } from "./ask-node.ts";
import type { StyrApiContext } from "./context.ts";

type Context = Pick<StyrApiContext, "nodeAccess" | "clock" | "store">;

/** More nodes that do not serve a route are counted. */
const MOST_NAMED = 3;

/** With what the nodes say where it comes in: certificates that they do not have, routes that they do not serve, a way in that fails. */
export async function withTroubles(context: Context, report: RoutesReport): Promise<RoutesReport> {
  if (context.nodeAccess.network === undefined || report.routes.length === 0) return report;
  const asked = await Promise.all(
    report.wayIn.map(async ({ node }) => [node, await troublesOf(context, node)] as const),
  );
  const troubles = new Map(asked);
  return {
    routes: report.routes.map((row) => rowWith(row, troubles)),
    wayIn: report.wayIn.map((each) => {
      const { fails } = troubles.get(each.node) ?? {};
      return fails === undefined ? each : { ...each, trouble: fails };
    }),
  };
}

type HostWords = Readonly<Record<string, string>>;

interface Troubles {
  readonly fails?: string;
  /** It serves no route at all, and why. */
  readonly out?: string;
  /** Of certificates. */
  readonly hosts: HostWords;
  /** Hosts with routes that it does not serve. */
  readonly late: HostWords;
  /** Of routes, by what they are found by. */
  readonly routes: HostWords;
}

async function troublesOf(context: Context, node: string): Promise<Troubles> {
  const answer = await askNode(context, node, { ask: "status" });
  if (answer instanceof Error) {
    // HAProxy outlives an agent that is restarted, and not a host that is off.
    const known = context.store.get(nodes, node);
    const isGone = known === undefined || !isNodeReady(known);
    return { fails: answer.message, hosts: {}, late: {}, routes: {}, ...(isGone ? { out: answer.message } : {}) };
  }
  const part = (answer as NetworkStatusAnswer).parts.find(({ name }) => name === "way in");
  const {
    state,
    words = "it fails",
    facts,
    hostTroubles: hosts = {},
    lateHosts: late = {},
    routeTroubles: routes = {},
  } = part ?? {};
  const isOut = state === "off" || (state === "failing" && facts?.routes === 0);
  return { hosts, late, routes, ...(state === "failing" ? { fails: words } : {}), ...(isOut ? { out: words } : {}) };
}

function rowWith(row: RouteRow, troubles: ReadonlyMap<string, Troubles>): RouteRow {
  if (!row.isServed) return row;
  const notAt = [...troubles].flatMap(([node, { out, late }]) => {
    const words = out ?? wordsOf(late, row.host);
    return words === undefined ? [] : [`${node}: ${words}`];
  });
  const isServed = notAt.length < Math.max(1, troubles.size);
  const places = [...notAt.slice(0, MOST_NAMED), ...(notAt.length > MOST_NAMED ? [`${notAt.length} in all`] : [])];
  const missing =
    notAt.length === 0 ? [] : [`${isServed ? "not served by" : "no way in serves it:"} ${places.join("; ")}`];
  const said = [...missing, ...(row.words ?? []), ...certificateTroubles(row, troubles), ...loops(row, troubles)];
  return said.length === 0 ? row : { ...row, isServed, words: said };
}

function certificateTroubles(row: RouteRow, troubles: ReadonlyMap<string, Troubles>): readonly string[] {
  if (row.certificate === undefined) return [];
  return [...troubles].flatMap(([node, { hosts }]) => {
    const words = wordsOf(hosts, row.host);
    return words === undefined ? [] : [`${node}: ${words}`];
  });
}

/** Servers of it that are none there. */
function loops(row: RouteRow, troubles: ReadonlyMap<string, Troubles>): readonly string[] {
  const key = routeKey(row);
  const said = [...troubles.values()].flatMap(({ routes }) => wordsOf(routes, key) ?? []);
  return [...new Set(said)];
}

function wordsOf(hosts: HostWords, host: string): string | undefined {
  return Object.hasOwn(hosts, host) ? hosts[host] : undefined;
}
