import type { Command } from "commander";
import { Connection } from "../client/connection.ts";
import { chooseEndpoint, type EndpointSettings } from "../client/endpoint.ts";
import { StyrClient } from "../client/styr-client.ts";
import { clientVersion } from "./client-version.ts";
import { surroundings } from "./surroundings.ts";
import type { Terminal } from "./terminal.ts";

/** A client of the server that flags, environment or config file name. Connects with its first call. */
export function openSession(command: Command, { env }: Terminal): StyrClient {
  const flags: EndpointSettings = command.optsWithGlobals();
  return new StyrClient(new Connection(chooseEndpoint(flags, surroundings(env)), { version: clientVersion() }));
}

/** Aborts on Ctrl-C, so that a command ends as if its work had ended; a second Ctrl-C kills. */
export function untilInterrupted(): AbortSignal {
  const controller = new AbortController();
  process.once("SIGINT", () => controller.abort());
  process.once("SIGTERM", () => controller.abort());
  return controller.signal;
}
