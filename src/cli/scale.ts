import type { Command } from "commander";
import { scaleWorkload } from "../client/dialects/change-workload.ts";
import { type WaitFlags, waitForChange, waitOptions } from "./change.ts";
import { CliFailure } from "./failure.ts";
import { plainText } from "./plain-text.ts";
import { openSession } from "./session.ts";
import type { Terminal } from "./terminal.ts";

export function register(program: Command, terminal: Terminal): void {
  const scale = program
    .command("scale")
    .description("Change how many copies are wanted. 0 stops a workload and keeps it; for a unit, 1 starts it again.")
    .argument("<name>", "an app, a controller or a unit")
    .argument("<copies>", "how many: 0 or more");
  waitOptions(scale).action(async (name: string, count: string, flags: WaitFlags, command: Command) => {
    const copies = wholeNumber(count);
    const client = openSession(command, terminal);
    const workload = await client.workload(name);
    await scaleWorkload(client.connection, workload, copies);
    terminal.out(`${plainText(workload.name)} scaled from ${workload.desired} to ${copies}\n`);
    // The rows must show the new number before they can be judged.
    await waitForChange(terminal, client, [workload], { ...flags, wants: "running", copies });
  });
}

function wholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text))
    throw new CliFailure(`"${text}" is no number of copies: give 0 or more; see styr scale --help`);
  return Number(text);
}
