import type { Command } from "commander";
import type { JoinWish } from "../app/join/run-join.ts";
import type { Terminal } from "./terminal.ts";
import { asDaemon, inWords, processIo, settingsHere, withClusterNetwork, withPlace } from "./up.ts";

export function register(program: Command, terminal: Terminal): void {
  const command = program
    .command("join")
    .description(
      "Make this host part of a cluster, and run what it assigns to it. The line comes from: styr token create",
    )
    .argument("<url>", "of any server of the cluster: https://HOST:7443");
  withClusterNetwork(withPlace(command))
    .requiredOption("--token <token>", "as styr token create printed it")
    .option("--service", "as a service of systemd, now and at every boot, instead of until Ctrl-C")
    .option("--no-agent", "with a server token: a server that runs no pods")
    .option("--node-name <name>", "this machine's name in the cluster (default: its host name)")
    .option("--label <key=value>", "a label of this node, for each --label", listed)
    .option("--no-install", "install nothing: pods that need Docker wait until there is one")
    .option("--reserve-cpu <amount>", "CPU kept for the host (default: a twentieth)")
    .option("--reserve-memory <amount>", "memory kept for the host (default: a tenth)")
    .option("--listen <host:port>", "as a server: where HTTPS is served (default: 0.0.0.0:7443)")
    .option("--advertise <host:port>", "as a server: where agents and other servers reach it")
    .option("--tls-name <name>", "as a server: a further name that it is reached by, for each --tls-name", listed)
    .option("--metrics <host:port>", "/metrics alone, in plain HTTP, for everybody who reaches it")
    .option("--log-level <level>", "debug, info, warn or error", "info")
    .action(async (url: string, options: JoinWish) => {
      const { runJoin } = await import("../app/join/run-join.ts");
      await inWords(async () => {
        const settings = await settingsHere(options);
        await asDaemon(settings, () => runJoin(url, options, settings, processIo(terminal)));
      });
    });
}

function listed(text: string, all: readonly string[] = []): readonly string[] {
  return [...all, text];
}
