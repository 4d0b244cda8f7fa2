import type { Command } from "commander";
import { CliFailure } from "./failure.ts";
import { openSession, untilInterrupted } from "./session.ts";
import type { Terminal } from "./terminal.ts";

const MOST_PORT = 65_535;

export function register(program: Command, terminal: Terminal): void {
  program
    .command("port-forward")
    .description("Reach ports of a running copy at ports of this machine, wherever it runs, until Ctrl-C.")
    .argument("<name>", "a workload or one copy of it")
    .argument("<ports...>", "REMOTE, or LOCAL:REMOTE; 0 for LOCAL means any that is free")
    .option("--address <address>", "of this machine, to listen on", "127.0.0.1")
    .action(async (name: string, ports: string[], { address }: { readonly address: string }, command: Command) => {
      const pairs = ports.map(readPair);
      const { connection } = openSession(command, terminal);
      const { forwardPorts } = await import("../app/port-forward/forward-ports.ts");
      const say = (line: string) => terminal.err(`${line}\n`);
      const signal = untilInterrupted();
      await forwardPorts({ connection, name, pairs, address, say, signal });
    });
}

export function readPair(text: string): { readonly local: number; readonly remote: number } {
  const [, local, remote = ""] = /^(?:(\d{1,5}):)?(\d{1,5})$/.exec(text) ?? [];
  const pair = { local: Number(local ?? remote), remote: Number(remote) };
  if (remote !== "" && pair.remote >= 1 && pair.remote <= MOST_PORT && pair.local <= MOST_PORT) return pair;
  throw new CliFailure(`"${text}" is no port: give REMOTE or LOCAL:REMOTE, from 1 to ${MOST_PORT}`);
}
