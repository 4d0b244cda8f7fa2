/** One request to another server, with this one's certificate, and what became of it. */
import type { IncomingMessage } from "node:http";
import { Agent, request } from "node:https";
import { isIP } from "node:net";
import { isDeepStrictEqual } from "node:util";
import type { TlsMaterial } from "../../network/link/web-socket-dialer.ts";

export interface PeerCall {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | undefined;
}

export type PeerOutcome =
  | { readonly type: "answer"; readonly response: IncomingMessage }
  /** `wasSent`: it may have been carried out. */
  | { readonly type: "failed"; readonly why: string; readonly wasSent: boolean };

/** Below a server's own keep-alive (listen.ts), so that no request meets a connection that is being closed. */
const IDLE_MS = 30_000;
const CONNECT_MS = 3_000;
/** To one server; what comes beyond that waits. Followed logs and watches hold one each. */
const MOST_SOCKETS = 1_024;

/** Connections to the other servers, kept for reuse; certificates that are renewed are used from the next connection on. */
export class PeerConnections {
  readonly #material: () => TlsMaterial;
  #agent: Agent | undefined;
  #known: TlsMaterial | undefined;

  constructor(material: () => TlsMaterial) {
    this.#material = material;
  }

  /** Rejects never. `signal` ends it, also when the answer's body is under way. */
  ask(server: string, call: PeerCall, signal: AbortSignal): Promise<PeerOutcome> {
    const { promise, resolve } = Promise.withResolvers<PeerOutcome>();
    if (signal.aborted) return Promise.resolve({ type: "failed", why: "it was given up", wasSent: false });
    let wasSent = false;
    const { hostname, port } = new URL(server);
    const host = hostname.replace(/^\[|\]$/g, "");
    const { method, path, headers, body } = call;
    const servername = isIP(host) === 0 ? host : "";
    const sent = request({ host, port: port || 443, servername, method, path, headers, agent: this.#pool() });
    const connecting = setTimeout(() => sent.destroy(new Error("it does not accept connections")), CONNECT_MS);
    const connected = () => {
      clearTimeout(connecting);
      wasSent = true;
    };
    const onAbort = () => sent.destroy(new Error("it was given up"));
    signal.addEventListener("abort", onAbort, { once: true });
    sent.on("socket", (socket) => {
      if (sent.reusedSocket) connected();
      else socket.once("secureConnect", connected);
    });
    sent.on("response", (response) => resolve({ type: "answer", response }));
    sent.on("error", (error) => resolve({ type: "failed", why: error.message, wasSent }));
    sent.on("close", () => {
      clearTimeout(connecting);
      signal.removeEventListener("abort", onAbort);
      resolve({ type: "failed", why: "it closed the connection", wasSent });
    });
    sent.end(body);
    return promise;
  }

  close(): void {
    this.#agent?.destroy();
  }

  #pool(): Agent {
    const material = this.#material();
    if (this.#agent && isDeepStrictEqual(this.#known, material)) return this.#agent;
    if (this.#agent) retire(this.#agent);
    const { caPem, certPem, keyPem } = material;
    this.#known = material;
    this.#agent = new Agent({
      keepAlive: true,
      maxSockets: MOST_SOCKETS,
      timeout: IDLE_MS,
      ca: caPem,
      cert: certPem,
      key: keyPem,
    });
    return this.#agent;
  }
}

/** What is under way ends by itself (Agent.destroy would cut it); idle connections would keep the old certificate. */
function retire(agent: Agent): void {
  agent.maxFreeSockets = 0;
  for (const idle of Object.values(agent.freeSockets)) for (const socket of idle ?? []) socket.destroy();
}
