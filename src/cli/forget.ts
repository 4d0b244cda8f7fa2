import type { Command } from "commander";
import type { StyrClient } from "../client/styr-client.ts";
import type { ServerRow } from "../model/reports.ts";
import type { Workload } from "../model/workload.ts";
import { findNode } from "./cordon.ts";
import { plainText } from "./plain-text.ts";
import { openSession } from "./session.ts";
import type { Terminal } from "./terminal.ts";

export function register(program: Command, terminal: Terminal): void {
  program
    .command("forget")
    .description("Say that a node or a server is gone for good: it leaves the list, and what ran there is replaced.")
    .argument("<names...>", "their names, or beginnings that only one has")
    .option("--force", "also a node that is alive; a host that had joined needs a new token to come back")
    .action(async (given: readonly string[], { force = false }: { force?: boolean }, command: Command) => {
      const client = openSession(command, terminal);
      const rows = await client.nodes();
      const nodes = rows.map(({ name }) => name);
      const servers = await client.servers();
      const all = [...new Set([...nodes, ...servers.map(({ name }) => name)])].sort();
      for (const name of given.map((one) => findNode(one, all))) {
        if (nodes.includes(name)) await forgetNode(client, terminal, name, force);
        const server = servers.find((one) => one.name === name);
        if (server) await forgetServer(client, terminal, server, nodes.includes(name));
      }
      if (force) terminal.err(`${GOES_ON}\n`);
    });
}

const GOES_ON =
  "A host that is not gone keeps running what it ran, beside what replaces it, and nobody watches over that: run styr uninstall there.";

/** Of a host that was both, the server that still runs stays; of one that is a server alone it is said why. */
async function forgetServer(
  client: StyrClient,
  terminal: Terminal,
  { name, state }: ServerRow,
  wasNode: boolean,
): Promise<void> {
  if (wasNode && state !== "silent")
    return terminal.out(`server ${plainText(name)} runs, and stays one: styr uninstall there takes it away\n`);
  await client.forgetServer(name);
  terminal.out(`server ${plainText(name)} forgotten\n`);
}

async function forgetNode(client: StyrClient, terminal: Terminal, node: string, force: boolean): Promise<void> {
  const lines = whatIsOn(node, await client.workloads());
  terminal.out(lines.length === 0 ? `nothing is on ${plainText(node)}\n` : `on ${plainText(node)}:\n`);
  for (const line of lines) terminal.out(`  ${plainText(line)}\n`);
  await client.forgetNode(node, force);
  terminal.out(`node ${plainText(node)} forgotten\n`);
  const next = "styr ps (what was there and has a controller is replaced within a minute)";
  if (lines.length > 0) terminal.err(`next: ${terminal.asTyped(next)}\n`);
}

/** `web: 2 of 3 copies`. Copies that are over are not worth a word. */
export function whatIsOn(node: string, workloads: readonly Workload[]): readonly string[] {
  return workloads.flatMap(({ name, pods, desired }) => {
    const there = pods.filter((pod) => pod.node === node && pod.status !== "done" && pod.status !== "failed");
    return there.length === 0 ? [] : [`${name}: ${there.length} of ${desired} ${desired === 1 ? "copy" : "copies"}`];
  });
}
