/** `styr status` on one screen: how the whole fares, what is wrong, and what to do next. */
import { humanBytes } from "../lib/quantity.ts";
import type { ServerRow, StatusReport } from "../model/reports.ts";
import { brakeBanner } from "./brake-banner.ts";
import { plainText } from "./plain-text.ts";
import { nextSteps, problemsOf, SLOW_LOOP_MS } from "./status-problems.ts";
import { paint, type Terminal } from "./terminal.ts";
import { age } from "./workload-columns.ts";

type Screen = Pick<Terminal, "colors" | "clock" | "asTyped">;
type Row = readonly [title: string, text: string];

const LONGEST_WORDS = 160;

export function renderStatus(report: StatusReport, terminal: Screen): string {
  const brake = report.brake ? `${brakeBanner(report.brake, terminal)}\n` : "";
  const banner = restoredBanner(report, terminal) + brake;
  const rows = [
    ...serverRows(report, terminal),
    ...clusterRows(report, terminal),
    ...troubleRows(report, terminal),
    ...processRows(report, terminal),
  ];
  return banner + rows.map(([title, text]) => `${title.padEnd(12)}${text}\n`).join("") + next(report, terminal);
}

function restoredBanner({ restored }: StatusReport, { colors, asTyped }: Screen): string {
  if (restored === undefined) return "";
  const head = paint(`THIS CLUSTER WAS RESTORED ${plainText(restored)}`, "red", colors);
  return `${head}\n  ${asTyped("styr restore status shows them; styr restore confirm ends it")}\n\n`;
}

function serverRows(
  { version, node, startedAt, dialects, servers = [], store }: StatusReport,
  screen: Screen,
): readonly Row[] {
  const { clock, colors } = screen;
  const objects = Object.values(store.objects).reduce((sum, count) => sum + count, 0);
  const writes =
    store.refusal === undefined
      ? good("writes", true, colors)
      : good(`refuses writes: ${plainText(store.refusal)}; what runs goes on running`, false, colors);
  const place = store.place === undefined ? "" : `${plainText(store.place)}, `;
  const members = store.trouble === undefined ? [] : [good(plainText(store.trouble), false, colors)];
  return [
    ["server", `styr ${version} on ${plainText(node)}, up ${age(startedAt, clock.now())}`],
    // One alone has said all that there is to say.
    ...(servers.length < 2
      ? []
      : titled(
          "servers",
          servers.map((server) => serverText(server, screen)),
        )),
    ["dialects", dialects.join(", ")],
    ["store", `${writes}, ${place}revision ${store.revision}, ${objects} objects`],
    ...members.map((text): Row => ["", text]),
  ];
}

function serverText(
  { name, url, version, state, since, heardAgoMs, behind }: ServerRow,
  { clock, colors }: Screen,
): string {
  const more = [
    ...(since === undefined ? [] : [`for ${age(since, clock.now())}`]),
    ...(state === "silent" && heardAgoMs !== undefined ? [`for ${Math.round(heardAgoMs / 1000)}s`] : []),
    ...(behind === undefined || behind === 0 ? [] : [`${behind} revisions behind`]),
  ];
  const words = good(state === "unknown" ? "not heard yet" : state, state !== "silent", colors);
  return `${plainText(name)} ${[words, ...more].join(" ")}, ${plainText(url)}, ${plainText(version)}`;
}

function clusterRows({ nodes, pods, workloads }: StatusReport, { colors, asTyped }: Screen): readonly Row[] {
  return [
    ["nodes", good(nodesText(nodes), nodes.ready === nodes.total && nodes.total > 0, colors)],
    ...nodes.troubles.map((trouble): Row => ["", paint(plainText(asTyped(trouble)), "red", colors)]),
    ["pods", counts(pods)],
    ["workloads", counts(workloads)],
  ];
}

function troubleRows(report: StatusReport, { colors, clock }: Screen): readonly Row[] {
  const { waiting = [], troubled = [], warnings = [], certificates = [], node } = report;
  const bad = (text: string) => paint(cut(plainText(text)), "red", colors);
  return [
    ...titled(
      "waiting",
      waiting.map(({ words, pods }) => bad(`${pods} ${pods === 1 ? "pod" : "pods"}: ${words}`)),
    ),
    ...titled(
      "trouble",
      troubled.map(({ name, status, error }) => bad(`${name} ${status}${error === undefined ? "" : `: ${error}`}`)),
    ),
    ...titled(
      "warnings",
      warnings.map(({ reason, message, about, count, time }) =>
        cut(plainText(`${age(time, clock.now())} ago, ${count}x ${reason} ${about}: ${message}`)),
      ),
    ),
    ...titled(
      "ends soon",
      certificates.map(({ name, endsAt }) => bad(`certificate ${name} of ${node}: ${endsAt}`)),
    ),
  ];
}

function processRows({ lagMs, memoryBytes }: StatusReport, { colors }: Screen): readonly Row[] {
  const lag = `delayed by ${Math.round(lagMs)} ms at most of late`;
  return [
    ["event loop", good(lag, lagMs < SLOW_LOOP_MS, colors)],
    ["memory", humanBytes(memoryBytes)],
  ];
}

function next(report: StatusReport, { asTyped }: Screen): string {
  // Who reads this has typed `styr status`: what tells more is the bundle.
  const steps = nextSteps(problemsOf(report)).map((step) => (step === "styr status" ? "styr support-bundle" : step));
  return steps.length === 0 ? "" : `${"next".padEnd(12)}${plainText(asTyped(steps.join("   ")))}\n`;
}

function titled(title: string, texts: readonly string[]): readonly Row[] {
  return texts.map((text, at): Row => [at === 0 ? title : "", text]);
}

/** `3 of 5 ready, 2 unreachable`. */
function nodesText({ ready, total, states }: StatusReport["nodes"]): string {
  const others = Object.entries(states).filter(([word]) => word !== "ready");
  const rest = others.sort(([a], [b]) => (a < b ? -1 : 1)).map(([word, count]) => `, ${count} ${word}`);
  if (states.unknown === total && total > 0) return `${total}; how they fare is not known while no server leads`;
  return `${ready} of ${total} ready${rest.join("")}`;
}

function counts(of: Readonly<Record<string, number>>): string {
  const words = Object.entries(of).sort(([a], [b]) => (a < b ? -1 : 1));
  return words.length === 0 ? "none" : words.map(([word, count]) => `${count} ${word}`).join(", ");
}

function good(text: string, isGood: boolean, colors: boolean): string {
  return paint(text, isGood ? "green" : "red", colors);
}

function cut(text: string): string {
  return text.length <= LONGEST_WORDS ? text : `${text.slice(0, LONGEST_WORDS - 1)}…`;
}
