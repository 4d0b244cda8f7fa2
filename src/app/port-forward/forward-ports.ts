/** `styr port-forward`: listens on this machine, and leads each connection to a copy of a workload by a WebSocket of its own. */
import { createServer, type Server, type Socket } from "node:net";
import { ClientError } from "../../client/client-error.ts";
import type { Connection } from "../../client/connection.ts";
import { StyrClient } from "../../client/styr-client.ts";
import { bridge } from "./bridge.ts";

export interface PortPair {
  /** 0: any that is free. */
  readonly local: number;
  readonly remote: number;
}

export interface ForwardOptions {
  readonly connection: Connection;
  readonly name: string;
  readonly pairs: readonly PortPair[];
  /** To listen on. */
  readonly address: string;
  say(line: string): void;
  readonly signal: AbortSignal;
}

/** Until `signal` aborts. Throws with words when the workload is unknown or a port cannot be had. */
export async function forwardPorts(options: ForwardOptions): Promise<void> {
  const { connection, name, pairs, say, signal } = options;
  await new StyrClient(connection).workload(name);
  const open = new Set<Socket>();
  const servers: Server[] = [];
  const tell = sayOnce(say);
  try {
    for (const pair of pairs) servers.push(await listen(options, pair, open, tell));
    say("Ctrl-C ends it; each new connection goes to a copy that is ready.");
    await aborted(signal);
  } finally {
    for (const server of servers) server.close();
    for (const socket of open) socket.destroy();
  }
}

async function listen(
  { connection, name, address, say }: ForwardOptions,
  { local, remote }: PortPair,
  open: Set<Socket>,
  tell: (line: string) => void,
): Promise<Server> {
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true }, (socket) => {
    open.add(socket);
    socket.on("close", () => open.delete(socket));
    void bridge(socket, { connection, name, port: remote, tell });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => reject(inWords(error, address, local)));
    server.listen({ host: address, port: local }, resolve);
  });
  const at = server.address() as { readonly port: number };
  say(`${address.includes(":") ? `[${address}]` : address}:${at.port} leads to port ${remote} of ${name}`);
  return server;
}

function inWords(error: NodeJS.ErrnoException, address: string, port: number): Error {
  if (error.code === "EADDRINUSE")
    return new ClientError(`port ${port} is in use here; choose another: LOCAL:REMOTE, or 0:REMOTE for any`);
  if (error.code === "EACCES") return new ClientError(`port ${port} is for root alone; choose another: LOCAL:REMOTE`);
  if (error.code === "EADDRNOTAVAIL") return new ClientError(`--address ${address}: this machine has no such address`);
  return error;
}

/** What is so for connection after connection is said once, until something else is. */
function sayOnce(say: (line: string) => void): (line: string) => void {
  let said = "";
  return (line) => {
    if (line === said) return;
    said = line;
    say(line);
  };
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
