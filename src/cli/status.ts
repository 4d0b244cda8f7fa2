import type { Command } from "commander";
import { humanBytes } from "../lib/quantity.ts";
import type { StatusReport } from "../model/reports.ts";
import { brakeBanner } from "./brake-banner.ts";
import { documentOption } from "./inspect.ts";
import { renderYaml } from "./listing.ts";
import { plainJson, plainText } from "./plain-text.ts";
import { openSession } from "./session.ts";
import { paint, type Terminal } from "./terminal.ts";
import { age } from "./workload-columns.ts";

export function register(program: Command, terminal: Terminal): void {
  program
    .command("status")
    .description("How the cluster fares: its store, its nodes, its pods, the server itself.")
    .addOption(documentOption("text"))
    .action(async ({ output }: { output: string }, command: Command) => {
      const report = await openSession(command, terminal).status();
      if (output === "json") terminal.out(`${plainJson(JSON.stringify(report, null, 2))}\n`);
      else if (output === "yaml") terminal.out(await renderYaml(report));
      else terminal.out(renderStatus(report, terminal));
    });
}

/** Above this, requests feel slow and probes may be late. */
const SLOW_LOOP_MS = 200;

export function renderStatus(report: StatusReport, terminal: Pick<Terminal, "colors" | "clock" | "asTyped">): string {
  const { colors, clock, asTyped } = terminal;
  const { store, nodes, lagMs } = report;
  const objects = Object.values(store.objects).reduce((sum, count) => sum + count, 0);
  const good = (text: string, isGood: boolean) => paint(text, isGood ? "green" : "red", colors);
  const storeText =
    store.refusal === undefined
      ? good("writes", true)
      : good(`refuses writes: ${plainText(store.refusal)}; what runs goes on running`, false);
  const lines = [
    ["server", `styr ${report.version} on ${plainText(report.node)}, up ${age(report.startedAt, clock.now())}`],
    ["dialects", report.dialects.join(", ")],
    ["store", `${storeText}, revision ${store.revision}, ${objects} objects`],
    ["nodes", good(nodesText(nodes), nodes.ready === nodes.total && nodes.total > 0)],
    ...nodes.troubles.map((trouble) => ["", paint(plainText(asTyped(trouble)), "red", colors)]),
    ["pods", counts(report.pods)],
    ["workloads", counts(report.workloads)],
    ["event loop", good(`delayed by ${Math.round(lagMs)} ms at most of late`, lagMs < SLOW_LOOP_MS)],
    ["memory", humanBytes(report.memoryBytes)],
  ];
  const banner = report.brake ? `${brakeBanner(report.brake, terminal)}\n` : "";
  return banner + lines.map(([title = "", text = ""]) => `${title.padEnd(12)}${text}\n`).join("");
}

/** `3 of 5 ready, 2 unreachable`. */
function nodesText({ ready, total, states }: StatusReport["nodes"]): string {
  const others = Object.entries(states).filter(([word]) => word !== "ready");
  const rest = others.sort(([a], [b]) => (a < b ? -1 : 1)).map(([word, count]) => `, ${count} ${word}`);
  return `${ready} of ${total} ready${rest.join("")}`;
}

function counts(of: Readonly<Record<string, number>>): string {
  const words = Object.entries(of).sort(([a], [b]) => (a < b ? -1 : 1));
  return words.length === 0 ? "none" : words.map(([word, count]) => `${count} ${word}`).join(", ");
}
