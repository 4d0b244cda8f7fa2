import type { NetworkStatusAnswer } from "../model/network-questions.ts";
import type { RouteRow, RoutesReport } from "../model/route-row.ts";
import { askNode } from "./ask-node.ts";
import type { StyrApiContext } from "./context.ts";

/** With what the nodes say where it comes in: certificates that they do not have, and a way in that fails. */
export async function withTroubles(
  context: Pick<StyrApiContext, "nodeAccess" | "clock">,
  report: RoutesReport,
): Promise<RoutesReport> {
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

interface Troubles {
  readonly fails?: string;
  readonly hosts: Readonly<Record<string, string>>;
}

async function troublesOf(context: Pick<StyrApiContext, "nodeAccess" | "clock">, node: string): Promise<Troubles> {
  const answer = await askNode(context, node, { ask: "status" });
  if (answer instanceof Error) return { fails: answer.message, hosts: {} };
  const part = (answer as NetworkStatusAnswer).parts.find(({ name }) => name === "way in");
  const fails = part?.state === "failing" ? (part.words ?? "it fails") : undefined;
  return { hosts: part?.hostTroubles ?? {}, ...(fails === undefined ? {} : { fails }) };
}

function rowWith(row: RouteRow, troubles: ReadonlyMap<string, Troubles>): RouteRow {
  if (row.certificate === undefined) return row;
  const said = [...troubles].flatMap(([node, { hosts }]) => {
    const words = Object.hasOwn(hosts, row.host) ? hosts[row.host] : undefined;
    return words === undefined ? [] : [`${node}: ${words}`];
  });
  return said.length === 0 ? row : { ...row, words: [...(row.words ?? []), ...said] };
}
