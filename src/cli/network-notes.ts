/** What `styr network status` says below its tables, in lines. Pure. */
import type { NetworkNodeRow } from "../model/network-questions.ts";
import { HOST_ASKS } from "../model/network-report.ts";

/** Of the pairs that are listed. */
export const MOST_PAIRS = 30;
/** Of the nodes of which the same is said. */
const MOST_NAMED = 5;

export function networkNotes(nodes: readonly NetworkNodeRow[]): readonly string[] {
  return [...linkRemarks(nodes), ...offLines(nodes), ...namelessLines(nodes), ...madeAnewLines(nodes)];
}

/** Why a cell of the matrix has a ✘, once for all who say the same. Of a node that gives no answer the table above has it. */
export function cutLines(nodes: readonly NetworkNodeRow[]): readonly string[] {
  const silent = new Set(nodes.flatMap(({ node, trouble }) => (trouble === undefined ? [] : node)));
  const cut = nodes.flatMap(({ node: from, answer }) =>
    (answer?.peers ?? []).flatMap(({ node: to, state, words }) =>
      state === "unreachable" && words !== undefined && !silent.has(to) ? { from, to, words } : [],
    ),
  );
  const alike = Map.groupBy(cut, ({ to, words }) => `${to}: ${words}`);
  return [...alike].map(([said, pairs]) => `${pairs.map(({ from }) => from).join(", ")} ✘ ${said}`);
}

/** Pairs that reach each other otherwise than they should. */
export function linkRemarks(nodes: readonly NetworkNodeRow[]): readonly string[] {
  const said = nodes.flatMap(({ node, answer }) =>
    (answer?.peers ?? []).flatMap(({ node: other, state, words }) =>
      state !== "unreachable" && words !== undefined ? `${node} → ${other}: ${words}` : [],
    ),
  );
  return said.length > MOST_PAIRS ? [...said.slice(0, MOST_PAIRS), `… and ${said.length - MOST_PAIRS} more`] : said;
}

/** Why a part is off, once for all the nodes that say the same. */
function offLines(nodes: readonly NetworkNodeRow[]): readonly string[] {
  const off = nodes.flatMap(({ node, answer }) =>
    (answer?.parts ?? []).flatMap(({ name, state, words }) =>
      state === "off" && words !== undefined ? [{ node, what: `${name} is off`, words }] : [],
    ),
  );
  const alike = Map.groupBy(off, ({ what, words }) => `${what}\n${words}`);
  return [...alike.values()].map((rows) => `${rows[0]?.what} on ${namesOf(rows)}: ${rows[0]?.words}`);
}

/** Hosts whose own programs find nobody by name: nothing fails, and whoever runs units there wonders. */
function namelessLines(nodes: readonly NetworkNodeRow[]): readonly string[] {
  const asking = nodes.flatMap(({ node, answer }) =>
    (answer?.parts ?? []).flatMap(({ facts }) =>
      facts?.[HOST_ASKS] === undefined ? [] : { node, server: facts[HOST_ASKS] },
    ),
  );
  const alike = Map.groupBy(asking, ({ server }) => server);
  return [...alike].map(
    ([server, rows]) =>
      `processes and units on ${namesOf(rows)} know no names of the cluster: /etc/resolv.conf there asks ${server} (to change that: --host-names)`,
  );
}

function namesOf(rows: readonly { readonly node: string }[]): string {
  const more = rows.length > MOST_NAMED ? ` and ${rows.length - MOST_NAMED} more` : "";
  return `${rows
    .slice(0, MOST_NAMED)
    .map(({ node }) => node)
    .join(", ")}${more}`;
}

/** Somebody else is at the host's rules. */
function madeAnewLines(nodes: readonly NetworkNodeRow[]): readonly string[] {
  return nodes.flatMap(({ node, answer }) =>
    (answer?.parts ?? []).flatMap(({ name, facts }) => {
      const times = Number(facts?.["made anew"] ?? 0);
      const often = times === 1 ? "once" : `${times} times`;
      const what = name === "pod network" ? "the pods' bridge, or its address, was" : `rules of ${name} were`;
      return times > 0 ? `${node}: ${what} taken away, and made anew, ${often} since its agent started` : [];
    }),
  );
}
