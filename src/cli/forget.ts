import type { Command } from "commander";
import type { Workload } from "../model/workload.ts";
import { findNode } from "./cordon.ts";
import { plainText } from "./plain-text.ts";
import { openSession } from "./session.ts";
import type { Terminal } from "./terminal.ts";

export function register(program: Command, terminal: Terminal): void {
  program
    .command("forget")
    .description("Say that a node is gone for good: it leaves the list, and what ran there is replaced.")
    .argument("<node>", "its name, or a beginning that only one node has")
    .option("--force", "also a node that is alive; it joins again when its agent says so")
    .action(async (name: string, { force = false }: { force?: boolean }, command: Command) => {
      const client = openSession(command, terminal);
      const node = findNode(
        name,
        (await client.nodes()).map((row) => row.name),
      );
      const lines = whatIsOn(node, await client.workloads());
      terminal.out(lines.length === 0 ? `nothing is on ${plainText(node)}\n` : `on ${plainText(node)}:\n`);
      for (const line of lines) terminal.out(`  ${plainText(line)}\n`);
      await client.forgetNode(node, force);
      terminal.out(`node ${plainText(node)} forgotten\n`);
      const next = "styr ps (what was there and has a controller is replaced within a minute)";
      if (lines.length > 0) terminal.err(`next: ${terminal.asTyped(next)}\n`);
    });
}

/** `web: 2 of 3 copies`. Copies that are over are not worth a word. */
export function whatIsOn(node: string, workloads: readonly Workload[]): readonly string[] {
  return workloads.flatMap(({ name, pods, desired }) => {
    const there = pods.filter((pod) => pod.node === node && pod.status !== "done" && pod.status !== "failed");
    return there.length === 0 ? [] : [`${name}: ${there.length} of ${desired} ${desired === 1 ? "copy" : "copies"}`];
  });
}
