/** One request to another server, with this one's certificate, and what became of it. */
import type { ClientRequest, IncomingMessage } from "node:http";
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
const IDLE = { keepAlive: true, timeout: IDLE_MS } as const;

export interface PeerLimits {
  /** To one server at once; what comes beyond that waits. Watches and followed logs hold one each: more than the gate lets in. */
  readonly reads: number;
  /** Of their own, so that answers that nobody reads stop no write. */
  readonly writes: number;
  /** From when there is a socket for it until the other side has accepted it. */
  readonly connectMs: number;
  /** So long it waits for a socket. */
  readonly queueMs: number;
}

const USUAL: PeerLimits = { reads: 4_096, writes: 1_024, connectMs: 3_000, queueMs: 10_000 };

interface Pools {
  readonly reads: Agent;
  readonly writes: Agent;
}

/** Connections to the other servers, kept for reuse; certificates that are renewed are used from the next connection on. */
export class PeerConnections {
  readonly #material: () => TlsMaterial;
  readonly #limits: PeerLimits;
  #pools: Pools | undefined;
  #known: TlsMaterial | undefined;

  constructor(material: () => TlsMaterial, limits: Partial<PeerLimits> = {}) {
    this.#material = material;
    this.#limits = { ...USUAL, ...limits };
  }

  /** Rejects never. `signal` ends it, also when the answer's body is under way. */
  ask(server: string, call: PeerCall, signal: AbortSignal): Promise<PeerOutcome> {
    const { promise, resolve } = Promise.withResolvers<PeerOutcome>();
    if (signal.aborted) return Promise.resolve({ type: "failed", why: "it was given up", wasSent: false });
    let wasSent = false;
    const sent = this.#request(server, call);
    const { connectMs, queueMs } = this.#limits;
    // Said here: a request that waits for a socket hears nothing of its end before it has one.
    const giveUp = (why: string) => {
      resolve({ type: "failed", why, wasSent });
      sent.destroy(new Error(why));
    };
    const within = (ms: number, why: string) => setTimeout(() => giveUp(why), ms);
    let waiting = within(queueMs, "too many requests to it are under way");
    const connected = () => {
      clearTimeout(waiting);
      wasSent = true;
    };
    const onAbort = () => giveUp("it was given up");
    signal.addEventListener("abort", onAbort, { once: true });
    sent.on("socket", (socket) => {
      clearTimeout(waiting);
      if (sent.reusedSocket) return connected();
      waiting = within(connectMs, "it does not accept connections");
      socket.once("secureConnect", connected);
    });
    sent.on("response", (response) => resolve({ type: "answer", response }));
    sent.on("error", (error) => resolve({ type: "failed", why: error.message, wasSent }));
    sent.on("close", () => {
      clearTimeout(waiting);
      signal.removeEventListener("abort", onAbort);
      resolve({ type: "failed", why: "it closed the connection", wasSent });
    });
    sent.end(call.body);
    return promise;
  }

  close(): void {
    for (const agent of this.#agents()) agent.destroy();
  }

  #request(server: string, { method, path, headers }: PeerCall): ClientRequest {
    const { hostname, port } = new URL(server);
    const host = hostname.replace(/^\[|\]$/g, "");
    const servername = isIP(host) === 0 ? host : "";
    const { reads, writes } = this.#current();
    const agent = isRead({ method }) ? reads : writes;
    return request({ host, port: port || 443, servername, method, path, headers, agent });
  }

  #agents(): readonly Agent[] {
    return this.#pools ? [this.#pools.reads, this.#pools.writes] : [];
  }

  #current(): Pools {
    const material = this.#material();
    if (this.#pools && isDeepStrictEqual(this.#known, material)) return this.#pools;
    for (const agent of this.#agents()) retire(agent);
    const { caPem: ca, certPem: cert, keyPem: key } = material;
    const { reads, writes } = this.#limits;
    this.#known = material;
    this.#pools = {
      reads: new Agent({ ...IDLE, maxSockets: reads, ca, cert, key }),
      writes: new Agent({ ...IDLE, maxSockets: writes, ca, cert, key }),
    };
    return this.#pools;
  }
}

/** Changes nothing, so that it may be asked again. */
export function isRead({ method }: { readonly method: string }): boolean {
  return method === "GET" || method === "HEAD";
}

/** What is under way ends by itself (Agent.destroy would cut it); idle connections would keep the old certificate. */
function retire(agent: Agent): void {
  agent.maxFreeSockets = 0;
  for (const idle of Object.values(agent.freeSockets)) for (const socket of idle ?? []) socket.destroy();
}
