import type { Command } from "commander";
import type { StyrClient } from "../client/styr-client.ts";
import { parseDurationMs } from "../lib/duration.ts";
import type { Workload } from "../model/workload.ts";
import { CliFailure, EXIT } from "./failure.ts";
import type { Terminal } from "./terminal.ts";
import { waitFor } from "./wait/wait.ts";

export interface WaitFlags {
  readonly wait: boolean;
  readonly timeout: string;
}

export function waitOptions(command: Command): Command {
  return command
    .option("--no-wait", "do not wait until it is so")
    .option("--timeout <duration>", "how long to wait at most", "5m");
}

/** Waits until changed workloads are as they are wanted; ends the command with the exit code that fits. */
export async function waitForChange(
  terminal: Terminal,
  client: StyrClient,
  workloads: readonly Workload[],
  { wait, timeout, wants, copies }: WaitFlags & { readonly wants: "running" | "gone"; readonly copies?: number },
): Promise<void> {
  if (!wait) return;
  const timeoutMs = parseDurationMs(timeout);
  if (timeoutMs === undefined) throw new CliFailure(`--timeout ${timeout}: give a duration such as 90s or 5m`);
  const targets = workloads.map(({ dialect, kind, name, namespace }) => ({
    dialect,
    kind,
    name,
    ...(namespace === undefined ? {} : { namespace }),
    ...(copies === undefined ? {} : { copies }),
  }));
  const { judged } = await waitFor(terminal, client, targets, { wants, timeoutMs });
  const open = judged.filter(({ verdict }) => verdict !== "done");
  const [first] = open;
  if (!first) return;
  const isUnplaced = open.every(({ row }) => row?.status === "unplaced");
  const problem = first.row?.error ?? `it is ${first.row?.status ?? "not there"}`;
  throw new CliFailure(`${first.target.name}: ${problem}`, {
    exitCode: isUnplaced ? EXIT.notPlaced : EXIT.failed,
    next: `styr why ${first.target.name}`,
  });
}
