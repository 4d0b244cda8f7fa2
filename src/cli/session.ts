import { homedir, userInfo } from "node:os";
import type { Command } from "commander";
import { Connection } from "../client/connection.ts";
import { chooseEndpoint, type EndpointSettings } from "../client/endpoint.ts";
import { StyrClient } from "../client/styr-client.ts";
import type { Terminal } from "./terminal.ts";

/** A client of the server that flags, environment or config file name. Connects with its first call. */
export function openSession(command: Command, { env }: Terminal): StyrClient {
  const flags: EndpointSettings = command.optsWithGlobals();
  const uid = process.geteuid?.() ?? userInfo().uid;
  const endpoint = chooseEndpoint(flags, { env, uid, home: env.HOME || homedir() });
  return new StyrClient(new Connection(endpoint));
}

/** Aborts on Ctrl-C, so that a command ends as if its work had ended; a second Ctrl-C kills. */
export function untilInterrupted(): AbortSignal {
  const controller = new AbortController();
  process.once("SIGINT", () => controller.abort());
  process.once("SIGTERM", () => controller.abort());
  return controller.signal;
}
