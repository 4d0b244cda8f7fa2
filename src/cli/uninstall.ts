import { createInterface } from "node:readline/promises";
import type { Command } from "commander";
import type { Options } from "../app/settings.ts";
import { CliFailure } from "./failure.ts";
import type { Terminal } from "./terminal.ts";
import { inWords, settingsHere, withPlace } from "./up.ts";

interface UninstallOptions extends Options {
  readonly yes?: boolean;
  readonly force?: boolean;
}

export function register(program: Command, terminal: Terminal): void {
  withPlace(
    program
      .command("uninstall")
      .description(
        "Leave the cluster, stop and remove everything of styr on this host: pods, service, network, state.",
      ),
  )
    .option("-y, --yes", "do not ask")
    .option("--force", "go on when the Docker Engine does not answer; what runs there is forgotten")
    .action(async ({ yes = false, force = false, ...options }: UninstallOptions) => {
      const { uninstall, whatGoes } = await import("../app/join/uninstall.ts");
      await inWords(async () => {
        const settings = await settingsHere(options);
        terminal.out("what goes:\n");
        for (const line of await whatGoes(settings)) terminal.out(`  ${line}\n`);
        if (!yes) await insist(terminal);
        await uninstall(settings, (line) => terminal.out(`${line}\n`), { force });
      });
      terminal.out("styr is gone from this host; its program files are where you put them\n");
    });
}

async function insist(terminal: Terminal): Promise<void> {
  if (terminal.stdin.isTTY !== true)
    throw new CliFailure("nothing was removed: there is nobody to ask here", { next: "styr uninstall --yes" });
  const lines = createInterface({ input: terminal.stdin, output: process.stdout });
  const answer = await lines.question("Remove all of it? Type yes: ");
  lines.close();
  if (answer.trim().toLowerCase() !== "yes") throw new CliFailure("nothing was removed");
}
