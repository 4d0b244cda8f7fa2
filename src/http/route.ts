/** The kit with which dialects answer HTTP: Request in, Response out, no sockets. No domain words here. */
import type { Access, Actor } from "./actor.ts";

/** Who asked, where only the handler can tell, and what for: as the audit log has it. */
export interface Subject {
  readonly actor?: string;
  /** Of what was asked for. */
  readonly name?: string;
}

export interface RequestContext {
  readonly actor: Actor;
  /** Values of the path's `:names`, decoded. */
  readonly params: Readonly<Record<string, string>>;
  readonly url: URL;
  /** Aborts when the client has gone. */
  readonly signal: AbortSignal;
  /** `scheme://host:port` under which the client reached us. */
  readonly origin: string;
  readonly remoteAddress: string;
  /** Of a request that says in its body who asks; also when it is refused then. */
  readonly note?: (subject: Subject) => void;
  /** Ends what somebody has open at this server with a token. */
  readonly endStreams?: (name: string) => void;
}

export interface Route {
  readonly method: "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Hono's path syntax: `/fleet/v1/units/:name`, `/v2/apps/:id{.+}/tasks`. Of two that match, the first listed wins. */
  readonly path: string;
  readonly access: Access;
  /**
   * A read that only the server that leads can answer, from what it has in memory beside the store; `if any`: while none
   * leads, whoever is asked answers as well as it can. Whatever is no `read` goes there anyway.
   */
  readonly atLeader?: true | "if any";
  /** Answered by the server that was asked, also when another leads: it changes nothing, though not everybody may ask. */
  readonly here?: true;
  /** Of its body; 16 MiB where it says nothing. */
  readonly mostBytes?: number;
  /** Its answer stays open without being asked to with `watch` or `follow`. */
  readonly streams?: true;
  /** Throws ApiError to refuse. A body that streams is sent at once, headers first. */
  handle(request: Request, context: RequestContext): Response | Promise<Response>;
}

/** A route that speaks WebSocket. `protocols`: the subprotocols it knows, best first. */
export interface SocketRoute {
  readonly path: string;
  readonly access: Access;
  /** Answered by the server that was asked, also when another leads. */
  readonly here?: true;
  readonly protocols: readonly string[];
  /** Called before the upgrade; throws ApiError to refuse with an HTTP answer. What it returns takes the open socket. */
  open(request: Request, context: RequestContext): Promise<(socket: Socket) => void>;
}

/** The part of a WebSocket that handlers need. */
export interface Socket {
  readonly protocol: string;
  /** `sent`: called when it has left this process, where that can be told. */
  send(data: Uint8Array | string, sent?: () => void): void;
  close(code?: number, reason?: string): void;
  onMessage(listener: (data: Uint8Array | string) => void): void;
  onClose(listener: () => void): void;
  /** Bytes accepted by `send` and not yet on their way. */
  readonly bufferedBytes: number;
  /** Reads no more until `resume`, so that the other side has to wait; absent where that cannot be done. */
  pause?(): void;
  resume?(): void;
}

/** The server that leads, when it is another: where requests go that this one cannot answer. The answer is passed on as it comes. */
export interface Elsewhere {
  /** Whether any server leads at present, as far as is known here. */
  readonly isThere: boolean;
  forward(request: Request, context: RequestContext): Promise<Response>;
  /** A Response is the leader's refusal. */
  openSocket(request: Request, context: RequestContext): Promise<Response | ((socket: Socket) => void)>;
}

/** What app/ mounts: a set of paths that share one way to word errors. */
export interface Api {
  readonly name: string;
  /** Path prefixes that belong to this API; requests below them that no route matches go to `notFound`. */
  readonly prefixes: readonly string[];
  readonly routes: readonly Route[];
  readonly sockets?: readonly SocketRoute[];
  /** Any failure of a handler, in the dialect's own words. Also for 401, 403, 413, 429 and bugs (500). */
  renderError(error: unknown, request: Request): Response;
  /** No route: wrong method on a known path (`allowed` not empty) or unknown path. */
  notFound(request: Request, allowed: readonly string[]): Response;
}
