/** `styr network status` as people read it. Pure. */
import { humanDuration } from "../lib/duration.ts";
import type { NetworkNodeRow, NetworkReport, NetworkStatusAnswer, ServiceLeftOut } from "../model/network-questions.ts";
import type { PeerLink } from "../model/network-report.ts";
import { isOld, OLD_ANSWER_MS, type PeerSummary, summaryOf } from "../model/peer-summary.ts";
import { cutLines, linkRemarks, MOST_PAIRS, networkNotes } from "./network-notes.ts";
import { plainText } from "./plain-text.ts";
import { type Cell, type Column, renderTable } from "./table.ts";
import { type Color, paint, type Terminal } from "./terminal.ts";

/** With more nodes the matrix is no picture any more: pairs in trouble are listed. */
const MOST_IN_MATRIX = 12;
/** Of the Services of which nodes are not told all. */
const MOST_LEFT_OUT = 10;

type Screen = Pick<Terminal, "columns" | "colors" | "asTyped">;

export function renderNetwork(report: NetworkReport, { columns: width, colors, asTyped }: Screen): string {
  const { nodes } = report;
  if (nodes.length === 0) return "no node has joined yet\n";
  const remark = { title: "TROUBLE", text: remarkCell };
  const sections = [renderTable(NODE_COLUMNS, nodes, { width, colors, remark })];
  if (nodes.length > 1 && nodes.length <= MOST_IN_MATRIX) sections.push(matrix(nodes, width, colors));
  else if (nodes.length > 1) sections.push(...pairs(nodes));
  const notes = [
    ...leftOutLines(report.leftOut ?? []),
    ...(nodes.length <= MOST_IN_MATRIX ? cutLines(nodes) : []),
    ...networkNotes(nodes),
  ];
  if (notes.length > 0) sections.push(notes.map((line) => plainText(line)).join("\n"));
  return `${[...sections, lastLine(report, { colors, asTyped })].join("\n\n")}\n`;
}

function lastLine(report: NetworkReport, { colors, asTyped }: Pick<Screen, "colors" | "asTyped">): string {
  const { nodes } = report;
  if (report.leftOut?.length && networkTroubles({ nodes }).length === 0) return asTyped("next: styr services");
  const troubles = networkTroubles({ nodes }).length;
  if (troubles > 0 && troubles === nodes.filter(({ trouble }) => trouble !== undefined).length)
    return asTyped("next: styr nodes   and, on the host itself: styr status");
  if (troubles > 0) return asTyped("next: styr network trace FROM TO:PORT   or   styr nodes");
  if (linkRemarks(nodes).length > 0 || nodes.some((row) => remarksOf(row).length > 0))
    return paint("nothing fails, but for what is said above", "yellow", colors);
  return paint("all of it works", "green", colors);
}

/** What does not work, in words, node by node; and what nodes are not told of. */
export function networkTroubles({ nodes, leftOut = [] }: NetworkReport): readonly string[] {
  const ofNodes = nodes.flatMap((row) => [
    ...troubleOf(row).map((words) => `${row.node}: ${words}`),
    ...(row.answer?.peers ?? [])
      .filter(({ state }) => state === "unreachable")
      .map(({ node, words }) => `${row.node} does not reach ${node}${words === undefined ? "" : `: ${words}`}`),
    ...(row.answer?.peers ?? []).flatMap(({ node, tooLarge, words }) =>
      tooLarge === undefined ? [] : `${row.node} and ${node}: ${words}`,
    ),
  ]);
  return [...ofNodes, ...leftOut.map(({ namespace, service, words }) => `Service ${namespace}/${service}: ${words}`)];
}

function leftOutLines(leftOut: readonly ServiceLeftOut[]): readonly string[] {
  const lines = networkTroubles({ nodes: [], leftOut: leftOut.slice(0, MOST_LEFT_OUT) });
  const more = leftOut.length - lines.length;
  return more > 0 ? [...lines, `… and ${more} more Services (styr services)`] : lines;
}

const NODE_COLUMNS: readonly Column<NetworkNodeRow>[] = [
  { title: "NODE", cell: ({ node }) => node, firm: true },
  { title: "ADDRESS", cell: ({ address }) => address ?? "-", dropRank: 2 },
  { title: "PODS", cell: ({ podRange, answer }) => answer?.podRange ?? podRange ?? "-" },
  { title: "PARTS", cell: partsCell },
  { title: "NEWS", cell: ({ answer }) => (answer ? newsText(answer) : "?"), dropRank: 1 },
];

function partsCell({ answer, noPodNetwork }: NetworkNodeRow): Cell {
  if (answer === undefined) return { text: "not asked", color: "red" };
  const failing = answer.parts.filter(({ state }) => state === "failing").map(({ name }) => name);
  if (failing.length > 0) return { text: `${failing.join(", ")} failing`, color: "red" };
  const off = answer.parts.filter(({ state }) => state === "off").map(({ name }) => name);
  const working = `${answer.parts.length - off.length} working${off.length > 0 ? `, off: ${off.join(", ")}` : ""}`;
  // Of no use to pods, however many there are.
  if (noPodNetwork !== undefined) return { text: `no network for pods, ${working}`, color: "red" };
  return { text: working, color: "green" };
}

/** What was heard of the network, and whether it is in force. */
function newsText({ revision, appliedRevision }: NetworkStatusAnswer): string {
  return appliedRevision >= revision ? "in force" : `${revision - appliedRevision} behind`;
}

function troubleOf({ trouble, noPodNetwork, answer }: NetworkNodeRow): readonly string[] {
  const missing = noPodNetwork === undefined ? [] : [`pods get no network: ${noPodNetwork}`];
  if (trouble !== undefined) return [[trouble, ...missing].join("; ")];
  const failing = answer?.parts.filter(({ state }) => state === "failing") ?? [];
  // Some parts say it themselves.
  const isSaid = failing.some(({ words }) => words !== undefined && noPodNetwork?.includes(words));
  return [
    ...(isSaid ? [] : missing),
    ...failing.map(({ name, words }) => `${name}: ${words ?? "it fails, and does not say why"}`),
  ];
}

/** What parts complain of that do their work. */
function remarksOf({ answer }: NetworkNodeRow): readonly string[] {
  const parts = answer?.parts ?? [];
  return parts.flatMap(({ name, state, words }) =>
    state === "working" && words !== undefined ? `${name}: ${words}` : [],
  );
}

function remarkCell(row: NetworkNodeRow): Cell {
  const troubles = troubleOf(row);
  const text = [...troubles, ...remarksOf(row)].join("; ");
  return { text, color: troubles.length > 0 ? "red" : "yellow" };
}

function matrix(nodes: readonly NetworkNodeRow[], width: number | undefined, colors: boolean): string {
  const columns: readonly Column<NetworkNodeRow>[] = [
    { title: "FROM \\ TO", cell: ({ node }) => node, firm: true },
    ...nodes.map(({ node: to }) => ({ title: to, cell: (row: NetworkNodeRow) => pairCell(row, to) })),
  ];
  return renderTable(columns, nodes, { width, colors });
}

function pairCell({ node, answer }: NetworkNodeRow, to: string): Cell {
  if (node === to) return { text: "-", color: "gray" };
  const peer = answer?.peers.find((one) => one.node === to);
  if (peer === undefined) return { text: "?", color: "gray" };
  return { text: linkText(peer), color: linkColor(peer) };
}

function linkColor(peer: PeerLink): Color {
  if (peer.state === "unreachable" || peer.tooLarge !== undefined) return "red";
  if (peer.state === "unknown") return "gray";
  return ageWords(peer) === undefined && peer.loss === undefined ? "green" : "yellow";
}

/** `routes 1500 0.21 ms`; `routes 1500 0.21 ms, 40s ago`; `routes ✘ 1500 (1400 pass) 0.21 ms`; `routes 1500 0.21 ms, 24% lost`. */
function linkText(peer: PeerLink): string {
  const { mode, state, rttMs, tooLarge, loss } = peer;
  const mtu = tooLarge === undefined ? peer.mtu : `✘ ${tooLarge.bytes} (${tooLarge.passing} pass)`;
  const how = [mode === "none" ? "no way" : mode, ...(mtu === undefined ? [] : [String(mtu)])];
  const found = state === "unreachable" ? "✘" : rttMs === undefined ? "?" : `${rttMs.toFixed(rttMs < 10 ? 2 : 0)} ms`;
  const lost = loss === undefined ? undefined : `${Math.round((100 * loss.lost) / loss.of)}% lost`;
  return [[...how, found].join(" "), lost, ageWords(peer)].filter((text) => text !== undefined).join(", ");
}

/** Undefined for an answer of this moment: whoever asks has the nodes looked at, of which each asks some of the others. */
function ageWords(peer: PeerLink): string | undefined {
  return isOld(peer) ? `${humanDuration(peer.ageMs ?? 0)} ago` : undefined;
}

/** An old "reached" must not look like a fresh one. */
function oldestWords(summaries: readonly PeerSummary[]): string {
  const old = summaries.reduce((sum, one) => sum + one.old, 0);
  if (old === 0) return "";
  const oldest = Math.max(...summaries.map(({ oldestMs = 0 }) => oldestMs));
  return `; of ${old} the answer is older than ${OLD_ANSWER_MS / 1000} s, of one ${humanDuration(oldest)}`;
}

function pairs(nodes: readonly NetworkNodeRow[]): readonly string[] {
  const answers = nodes.flatMap(({ node, answer }) => (answer === undefined ? [] : [{ node, answer }]));
  const summaries = answers.map(({ answer }) => answer.summary ?? summaryOf(answer.peers));
  const counts = new Map<string, number>();
  for (const { modes } of summaries)
    for (const [mode, count] of Object.entries(modes)) counts.set(mode, (counts.get(mode) ?? 0) + count);
  const modes = [...counts].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([mode, count]) => `${count} by ${mode}`);
  const cut = summaries.reduce((sum, { unreachable }) => sum + unreachable, 0);
  const links = answers.flatMap(({ node, answer }) => answer.peers.map((peer) => ({ from: node, peer })));
  const lines = links
    .filter(({ peer }) => peer.state === "unreachable")
    .slice(0, MOST_PAIRS)
    .map(({ from, peer }) =>
      plainText(
        `  ✘ ${from} → ${peer.node} (${[peer.mode, ageWords(peer) ?? []].flat().join(", ")})${peer.words ? `: ${peer.words}` : ""}`,
      ),
    );
  if (cut > lines.length) lines.push(`  … and ${cut - lines.length} more (-o json has ${hasAll(nodes)})`);
  const first = `pairs of nodes: ${modes.join(", ")}; ${cut} not reached${oldestWords(summaries)}${slowestWords(answers)}`;
  return [[first, ...lines].join("\n")];
}

/** Where not every pair is there to be looked at. */
function slowestWords(answers: readonly { readonly answer: NetworkStatusAnswer }[]): string {
  const slowest = Math.max(0, ...answers.map(({ answer }) => answer.summary?.slowestMs ?? 0));
  return slowest === 0 ? "" : `; the slowest answers in ${slowest.toFixed(slowest < 10 ? 1 : 0)} ms`;
}

function hasAll(nodes: readonly NetworkNodeRow[]): string {
  return nodes.some(({ answer }) => answer?.summary !== undefined) ? "some of each node" : "them all";
}
