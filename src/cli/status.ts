import type { Command } from "commander";
import type { StyrClient } from "../client/styr-client.ts";
import type { AgentReport } from "../model/agent-report.ts";
import type { StatusReport } from "../model/reports.ts";
import { sayAgent } from "./agent-status.ts";
import { CliFailure, EXIT } from "./failure.ts";
import { documentOption } from "./inspect.ts";
import { renderYaml } from "./listing.ts";
import { plainJson, plainText } from "./plain-text.ts";
import { renderStatus } from "./render-status.ts";
import { openSession } from "./session.ts";
import { problemsOf } from "./status-problems.ts";
import type { Terminal } from "./terminal.ts";

interface Options {
  readonly output: string;
  readonly check?: boolean;
}

export function register(program: Command, terminal: Terminal): void {
  program
    .command("status")
    .description("How the cluster fares: its servers and store, its nodes, its pods, and what to do next.")
    .addOption(documentOption("text"))
    .option("--check", "say only what is wrong, one line each, and end with 1 if anything is")
    .action(async ({ output, check }: Options, command: Command) => {
      const client = openSession(command, terminal);
      const report = await statusOrAgent(client);
      if ("clusterId" in report) await sayAgent(report, { output, check: check === true }, terminal);
      else if (check) sayProblems(report, terminal);
      else if (output === "json") terminal.out(`${plainJson(JSON.stringify(report, null, 2))}\n`);
      else if (output === "yaml") terminal.out(await renderYaml(report));
      else terminal.out(renderStatus(report, terminal));
    });
}

/** RFC 9110, 15.5.20: an agent's host knows of itself alone. */
const MISDIRECTED = 421;

async function statusOrAgent(client: StyrClient): Promise<StatusReport | AgentReport> {
  try {
    return await client.status();
  } catch (error) {
    if ((error as { status?: number }).status !== MISDIRECTED) throw error;
    return client.agent();
  }
}

/** For scripts and for whatever watches over the cluster. */
function sayProblems(report: StatusReport, terminal: Terminal): void {
  const problems = problemsOf(report);
  for (const { words } of problems) terminal.out(`${plainText(terminal.asTyped(words))}\n`);
  if (problems.length > 0) throw new CliFailure("", { exitCode: EXIT.failed });
}
