/** /styr/v1/network: how nodes reach each other and what their parts of the network say; and what becomes of one connection. */
import type { Route } from "../http/route.ts";
import { humanDuration } from "../lib/duration.ts";
import { ApiError } from "../model/errors.ts";
import type { Protocol } from "../model/network.ts";
import type { NetworkNodeRow, NetworkReport, NetworkStatusAnswer, ServiceLeftOut } from "../model/network-questions.ts";
import { type Node, nodes, podNetworkTrouble } from "../model/node.ts";
import { briefly, isOld } from "../model/peer-summary.ts";
import { askNode, IS_IT_ON } from "./ask-node.ts";
import type { StyrApiContext } from "./context.ts";
import { withWitnesses } from "./cut-pairs.ts";
import { traceConnection } from "./network-trace.ts";
import { type Part, sees } from "./own-part.ts";
import { atLeader, readOwnPart } from "./own-part-routes.ts";
import { addressOf } from "./pod-urls.ts";
import { kubernetesRows } from "./service-rows.ts";
import { slices } from "./slices.ts";

/** Nodes asked at once. */
const AT_ONCE = 128;
/** Of so many every pair is told: more are more than one answer has room for, and than anybody reads. */
const MOST_IN_FULL = 50;
const PROTOCOLS: readonly string[] = ["tcp", "udp", "sctp"];

export function networkRoutes(context: StyrApiContext): readonly Route[] {
  // However many ask at once, each node is asked once.
  let underWay: Promise<NetworkReport> | undefined;
  const report = () => {
    underWay ??= networkReport(context).finally(() => {
      underWay = undefined;
    });
    return underWay;
  };
  return [
    // As with the nodes themselves: where packets may go concerns everybody whose pods send some.
    atLeader(
      readOwnPart("/styr/v1/network", "network", async (part) => Response.json(reportFor(await report(), part))),
    ),
    atLeader(
      readOwnPart("/styr/v1/network/trace", "network", async (part, { url }) => {
        const [from, to] = [url.searchParams.get("from") ?? "", url.searchParams.get("to") ?? ""];
        const protocol = url.searchParams.get("protocol") ?? "tcp";
        if (from === "" || to === "")
          throw new ApiError(
            "BadRequest",
            "say from where and to where: styr network trace FROM TO[:PORT] (?from=FROM&to=TO)",
          );
        if (!PROTOCOLS.includes(protocol))
          throw new ApiError("BadRequest", `protocol is tcp, udp or sctp, not "${protocol}"`);
        return Response.json(await traceConnection(context, { from, to, protocol: protocol as Protocol }, part));
      }),
    ),
  ];
}

/** Words of a part may name what lies in any namespace. */
function reportFor(report: NetworkReport, part: Part): NetworkReport {
  if (part === undefined) return report;
  const rows = report.nodes.map(({ answer, ...row }): NetworkNodeRow => {
    if (answer === undefined) return row;
    const parts = answer.parts.map(({ name, state }) => ({
      ...{ name, state },
      ...(state === "failing" ? { words: "it fails; who may read the whole cluster is told why" } : {}),
    }));
    return { ...row, answer: { ...answer, parts } };
  });
  const leftOut = report.leftOut?.filter(({ namespace }) => sees(part, namespace)) ?? [];
  return { nodes: rows, ...(leftOut.length > 0 ? { leftOut } : {}) };
}

async function networkReport(context: StyrApiContext): Promise<NetworkReport> {
  const all = context.store.list(nodes);
  const isBrief = all.length > MOST_IN_FULL;
  const rows: NetworkNodeRow[] = [];
  const next = all.values();
  const work = async () => {
    for (const node of next) rows.push(await rowOf(context, node, isBrief));
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  const answered = withWitnesses(rows.map((row) => withAnswering(row, rows, context))).toSorted((a, b) =>
    a.node < b.node ? -1 : 1,
  );
  const leftOut = await leftOutServices(context);
  return { nodes: answered, ...(leftOut.length > 0 ? { leftOut } : {}) };
}

async function leftOutServices({ store, clock }: StyrApiContext): Promise<readonly ServiceLeftOut[]> {
  const rows = await kubernetesRows(store, slices(clock));
  return rows.flatMap(({ namespace, name, leftOut }) =>
    leftOut === undefined ? [] : [{ namespace, service: name, words: leftOut }],
  );
}

/** A host that others reach over the pods' network is on, whatever became of its agent. */
function withAnswering(
  row: NetworkNodeRow,
  all: readonly NetworkNodeRow[],
  context: Pick<StyrApiContext, "lifecycle" | "clock">,
): NetworkNodeRow {
  if (!row.trouble?.endsWith(IS_IT_ON)) return row;
  const reached = all.filter(({ answer }) =>
    answer?.peers.some((peer) => peer.node === row.node && peer.state === "reachable" && !isOld(peer)),
  );
  const [first] = reached.map(({ node }) => node).toSorted();
  if (first === undefined) return row;
  const by = reached.length === 1 ? first : `${first} and ${reached.length - 1} more`;
  const words = `the host is on, ${by} ${reached.length === 1 ? "reaches" : "reach"} it: its agent is stopped, or gets to no server; styr status there says why${oldRules(row.node, context)}`;
  return { ...row, trouble: row.trouble.replace(IS_IT_ON, words) };
}

/** What an agent wrote into its host goes on without it. */
function oldRules(name: string, { lifecycle, clock }: Pick<StyrApiContext, "lifecycle" | "clock">): string {
  const state = lifecycle?.stateOf(name);
  if (state === undefined || state.state === "ready") return "";
  const age = humanDuration(clock.now() - state.sinceMs);
  return `; its rules are as of ${age} ago, and go on sending connections to pods that left since`;
}

async function rowOf(context: StyrApiContext, node: Node, isBrief: boolean): Promise<NetworkNodeRow> {
  const { name } = node.metadata;
  const address = addressOf(node);
  const { podCIDR } = node.spec;
  const noPodNetwork = podNetworkTrouble(node.status.conditions);
  const about = {
    node: name,
    ...(address === undefined ? {} : { address }),
    ...(podCIDR === undefined ? {} : { podRange: podCIDR }),
    ...(noPodNetwork === undefined ? {} : { noPodNetwork }),
  };
  const answer = await askNode(context, name, { ask: "status", ...(isBrief ? { isBrief } : {}) });
  if (answer instanceof Error) return { ...about, trouble: answer.message };
  const said = answer as NetworkStatusAnswer;
  // One of an earlier version tells all of them.
  return { ...about, answer: isBrief && said.summary === undefined ? { ...said, ...briefly(said.peers) } : said };
}
