import type { Command } from "commander";
import type { WhyPod, WhyReport } from "../model/reports.ts";
import { documentOption } from "./inspect.ts";
import { type Format, renderYaml } from "./listing.ts";
import { plainJson, plainText } from "./plain-text.ts";
import { openSession } from "./session.ts";
import { wrap } from "./table.ts";
import { paint, type Terminal } from "./terminal.ts";
import { age } from "./workload-columns.ts";

export function register(program: Command, terminal: Terminal): void {
  program
    .command("why")
    .description("Why it is where and how it is, what refused it elsewhere, and the smallest change that would help.")
    .argument("<name>", "a workload or one copy of it")
    .addOption(documentOption("text"))
    .action(async (name: string, { output }: { output: Format | "text" }, command: Command) => {
      const report = await openSession(command, terminal).why(name);
      if (output === "json") terminal.out(`${plainJson(JSON.stringify(report, null, 2))}\n`);
      else if (output === "yaml") terminal.out(await renderYaml(report));
      else terminal.out(renderWhy(report, terminal));
    });
}

/** With more copies than this, copies that read the same are told once. */
const MOST_PODS = 5;

export function renderWhy(
  report: WhyReport,
  terminal: Pick<Terminal, "columns" | "colors" | "clock" | "asTyped">,
): string {
  const { colors } = terminal;
  const lines = [paint(plainText(report.summary), "bold", colors)];
  const groups = groupAlike(report.pods);
  for (const { pods, first } of groups.slice(0, MOST_PODS)) lines.push("", ...podLines(pods, first, terminal));
  if (groups.length > MOST_PODS) lines.push("", `… and ${groups.length - MOST_PODS} more copies`);
  if (report.next.length > 0) lines.push("", `next: ${plainText(terminal.asTyped(report.next.join("   or   ")))}`);
  return `${lines.join("\n")}\n`;
}

function groupAlike(pods: readonly WhyPod[]) {
  const groups = new Map<string, { pods: WhyPod[]; first: WhyPod }>();
  for (const pod of pods) {
    const id = JSON.stringify([pod.sentences, pod.nodes]);
    const group = groups.get(id);
    if (group) group.pods.push(pod);
    else groups.set(id, { pods: [pod], first: pod });
  }
  return [...groups.values()];
}

function podLines(
  pods: readonly WhyPod[],
  first: WhyPod,
  { columns = 100, colors, clock }: Pick<Terminal, "columns" | "colors" | "clock">,
): readonly string[] {
  const others = pods.length > 1 ? ` and ${pods.length - 1} more like it` : "";
  const indented = (text: string, mark: string) =>
    wrap(plainText(text), Math.max(30, columns - 4)).map((line, at) => `${at === 0 ? mark : "    "}${line}`);
  const events = first.events.slice(0, 5).map(({ time, count, type, reason, message }) => {
    const often = count > 1 ? ` (×${count})` : "";
    const text = `    ${age(time, clock.now()).padEnd(6)} ${plainText(reason)}: ${plainText(message)}${often}`;
    return type === "Warning" ? paint(text, "yellow", colors) : text;
  });
  return [
    `${plainText(first.key)}${others}`,
    ...first.sentences.flatMap((sentence) => indented(sentence, "  - ")),
    ...(first.nodes.length > 0 ? ["  nodes:", ...first.nodes.flatMap((node) => indented(node, "    "))] : []),
    ...(events.length > 0 ? ["  events:", ...events] : []),
  ];
}
