import { type Command, Option } from "commander";
import { ClientError } from "../client/client-error.ts";
import type { StyrClient } from "../client/styr-client.ts";
import { renderYaml } from "./listing.ts";
import { plainJson, plainLines } from "./plain-text.ts";
import { openSession } from "./session.ts";
import type { Terminal } from "./terminal.ts";

export function register(program: Command, terminal: Terminal): void {
  program
    .command("inspect")
    .description("The stored objects behind a name, as they are. KIND/KEY names any stored object: Node/n1, Event.")
    .argument("<name>", "a workload, one copy of it, or KIND/KEY")
    .addOption(documentOption("yaml"))
    .action(async (name: string, { output }: { output: string }, command: Command) => {
      const found = await inspect(openSession(command, terminal), name);
      if (output === "json") terminal.out(`${plainJson(JSON.stringify(found, null, 2))}\n`);
      else terminal.out(plainLines(await renderYaml(found)));
    });
}

export function documentOption(usual: "text" | "yaml"): Option {
  const choices = usual === "text" ? ["text", "json", "yaml"] : ["yaml", "json"];
  return new Option("-o, --output <format>", "how to show it").choices(choices).default(usual);
}

async function inspect(client: StyrClient, name: string): Promise<unknown> {
  try {
    return await client.inspect(name);
  } catch (error) {
    if (!(error instanceof ClientError) || error.status !== 404) throw error;
    const [kind = "", ...key] = name.split("/");
    if (key.length === 0 && !/^[A-Z]/.test(kind)) throw error;
    return client.object(kind, key.length === 0 ? undefined : key.join("/"));
  }
}
