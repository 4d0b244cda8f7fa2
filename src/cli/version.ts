import type { Command } from "commander";
import { clientVersion } from "./client-version.ts";
import { plainText } from "./plain-text.ts";
import { openSession } from "./session.ts";
import type { Terminal } from "./terminal.ts";

export function register(program: Command, terminal: Terminal): void {
  program
    .command("version")
    .description("Versions of this client and of the server it talks to.")
    .option("--client", "do not ask the server")
    .action(async ({ client }: { client?: boolean }, command: Command) => {
      terminal.out(`client  styr ${clientVersion()} on Node ${process.versions.node}\n`);
      if (!client) terminal.out(`server  ${await serverVersion(command, terminal)}\n`);
    });
}

/** That no server answers is an answer here, not a failure. */
async function serverVersion(command: Command, terminal: Terminal): Promise<string> {
  try {
    const { version, node } = await openSession(command, terminal).version();
    return plainText(`styr ${version} on ${node}`);
  } catch (error) {
    return plainText((error as Error).message);
  }
}
