import type { Command } from "commander";
import type { Options } from "../app/settings.ts";
import type { Terminal } from "./terminal.ts";
import { asDaemon, inWords, processIo, settingsHere, withAddresses, withPlace, withReach, withStore } from "./up.ts";

export function register(program: Command, terminal: Terminal): void {
  const command = program
    .command("server")
    .description("Run a control plane without an agent, alone or as one of several on etcd, until Ctrl-C.");
  withAddresses(withReach(withStore(withPlace(command))))
    .option("--new-store", "begin with an empty store although the one that was here is gone")
    .option("--listen <host:port>", "where HTTPS is served (default: as before, else 0.0.0.0:7443)")
    .option("--http <host:port>", "plain HTTP as well, on loopback only")
    .option("--node-name <name>", "this machine's name in the cluster (default: its host name)")
    .option("--strategy <name>", "spread or binpack", "spread")
    .option("--metrics <host:port>", "/metrics alone, in plain HTTP, for everybody who reaches it")
    .option("--log-level <level>", "debug, info, warn or error", "info")
    .action(async (options: Options & { readonly newStore?: boolean }) => {
      const { serve } = await import("../app/server/serve.ts");
      await inWords(async () => {
        const [settings, io] = [await settingsHere(options), processIo(terminal)];
        await asDaemon(settings, () => serve(settings, io, { newStore: options.newStore === true }));
      });
    });
}
