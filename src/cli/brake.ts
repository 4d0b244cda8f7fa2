import type { Command } from "commander";
import type { BrakeReleaseReport } from "../model/reports.ts";
import { brakeBanner } from "./brake-banner.ts";
import { findNode } from "./cordon.ts";
import { plainText } from "./plain-text.ts";
import { openSession } from "./session.ts";
import type { Terminal } from "./terminal.ts";

export function register(program: Command, terminal: Terminal): void {
  const brake = program
    .command("brake")
    .description("Whether too many nodes fell silent at once, so that nothing of theirs is moved.")
    .action(async (_options: object, command: Command) => {
      const report = await openSession(command, terminal).brake();
      if (report) terminal.out(brakeBanner(report, terminal));
      else terminal.out("the brake does not hold: pods of nodes that are lost are replaced\n");
    });
  brake
    .command("release")
    .description("Say that the silent nodes, or those named, are really gone: their pods are replaced now.")
    .argument("[nodes...]", "names, or beginnings that only one node has; none = all that are held")
    .action(async (names: string[], _options: object, command: Command) => {
      const client = openSession(command, terminal);
      const known = names.length === 0 ? [] : (await client.nodes()).map(({ name }) => name);
      const report = await client.releaseBrake(names.map((name) => findNode(name, known)));
      for (const line of releaseLines(report)) terminal.out(`${plainText(line)}\n`);
      const next =
        report.released.length > 0 ? "styr ps -w, and styr forget NODE for nodes that never come back" : "styr nodes";
      terminal.err(`next: ${terminal.asTyped(next)}\n`);
    });
}

export function releaseLines({ released, brake }: BrakeReleaseReport): readonly string[] {
  if (released.length === 0) return [brake ? "none of these is held" : "the brake does not hold: nothing to release"];
  const did = `released ${released.join(", ")}: their pods are replaced now, as fast as the limits on moves allow`;
  return brake ? [did, `still held: ${brake.nodes.join(", ")}`] : [did, "the brake does not hold any more"];
}
