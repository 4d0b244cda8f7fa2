import type { Command } from "commander";
import { Option } from "commander";
import type { NetworkReport, TraceReport } from "../model/network-questions.ts";
import { CliFailure } from "./failure.ts";
import { documentOption } from "./inspect.ts";
import { type Format, renderYaml } from "./listing.ts";
import { plainJson } from "./plain-text.ts";
import { networkTroubles, renderNetwork } from "./render-network.ts";
import { renderTrace } from "./render-trace.ts";
import { openSession } from "./session.ts";
import type { Terminal } from "./terminal.ts";

type Output = Format | "text";

export function register(program: Command, terminal: Terminal): void {
  const network = program
    .command("network")
    .description("How nodes and pods reach each other, and where a connection stops.");
  network
    .command("status")
    .description("Each node's part of the network, and how each node reaches each other: mode, MTU, round-trip time.")
    .addOption(documentOption("text"))
    .option("--check", "exit with 1 when anything of it does not work")
    .action(async ({ output, check }: { output: Output; check?: true }, command: Command) => {
      const report = await openSession(command, terminal).request<NetworkReport>("GET", "/styr/v1/network");
      await show(terminal, report, output, () => renderNetwork(report, terminal));
      const [first, ...others] = networkTroubles(report);
      if (check && first !== undefined)
        throw new CliFailure(`${first}${others.length > 0 ? `; and ${others.length} more` : ""}`, {
          next: "styr network status",
        });
    });
  network
    .command("trace")
    .description("What becomes of a connection, hop by hop: name, service, policies, route, listener, way back.")
    .argument("<from>", "a workload, one copy of it, or a node")
    .argument("<to[:port]>", "a workload, a copy, a node, service/NAME, a name as pods ask for it, or an address")
    .addOption(new Option("--protocol <protocol>", "of the connection").choices(["tcp", "udp", "sctp"]).default("tcp"))
    .addOption(documentOption("text"))
    .action(async (from: string, to: string, options: { output: Output; protocol: string }, command: Command) => {
      const query = new URLSearchParams({ from, to, protocol: options.protocol });
      const report = await openSession(command, terminal).request<TraceReport>(
        "GET",
        `/styr/v1/network/trace?${query}`,
      );
      await show(terminal, report, options.output, () => renderTrace(report, terminal));
      // All of it was said.
      if (!report.isOpen) throw new CliFailure("");
    });
}

async function show(terminal: Terminal, report: object, output: Output, text: () => string): Promise<void> {
  if (output === "json") terminal.out(`${plainJson(JSON.stringify(report, null, 2))}\n`);
  else if (output === "yaml") terminal.out(await renderYaml(report));
  else terminal.out(text());
}
