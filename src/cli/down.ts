import type { Command } from "commander";
import type { Options } from "../app/settings.ts";
import type { Terminal } from "./terminal.ts";
import { inWords, withPlace } from "./up.ts";

export function register(program: Command, terminal: Terminal): void {
  withPlace(
    program
      .command("down")
      .description(
        "Stop styr and remove all that it made on this machine: containers, processes, units, network, state.",
      ),
  )
    .option("--force", "go on when the Docker Engine does not answer; what runs there is forgotten")
    .action(async (options: Options & { readonly force?: boolean }) => {
      const { readSettings } = await import("../app/settings.ts");
      const { down } = await import("../app/down.ts");
      const { readPlace, withRemembered } = await import("../app/instance.ts");
      const { readMembership } = await import("../app/membership.ts");
      let left: string | undefined;
      await inWords(async () => {
        left = (await readMembership(readSettings(options).stateDir))?.nodeName;
        const place = await readPlace(readSettings(options).stateDir);
        await down(readSettings(withRemembered(options, place)), place, (line) => terminal.out(`${line}\n`), {
          force: options.force === true,
        });
      });
      if (left === undefined) return terminal.out(`next: ${terminal.asTyped("styr up")} starts anew\n`);
      terminal.out(
        "its cluster was told, if it was to be reached: others run what ran here; this host is still on its list\n",
      );
      terminal.out(`next: with a server of the cluster, styr forget ${left}\n`);
    });
}
