import type { Command } from "commander";
import type { Options } from "../app/settings.ts";
import type { Terminal } from "./terminal.ts";
import { asDaemon, inWords, processIo, settingsHere, withClusterNetwork, withPlace } from "./up.ts";

export function register(program: Command, terminal: Terminal): void {
  const command = program
    .command("agent")
    .description("Run what the cluster that this host has joined (styr join) assigns to it, until Ctrl-C.");
  withClusterNetwork(withPlace(command))
    .option("--no-install", "install nothing: pods that need Docker wait until there is one")
    .option("--label <key=value>", "a label of this node, for each --label", (text: string, all: string[] = []) => [
      ...all,
      text,
    ])
    .option("--reserve-cpu <amount>", "CPU kept for the host (default: a twentieth)")
    .option("--reserve-memory <amount>", "memory kept for the host (default: a tenth)")
    .option("--metrics <host:port>", "/metrics alone, in plain HTTP, for everybody who reaches it")
    .option("--log-level <level>", "debug, info, warn or error", "info")
    .action(async (options: Options) => {
      const { runAgent } = await import("../app/agent/run-agent.ts");
      await inWords(async () => {
        const settings = await settingsHere(options);
        await asDaemon(settings, () => runAgent(settings, processIo(terminal)));
      });
    });
}
