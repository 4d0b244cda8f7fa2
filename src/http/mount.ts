/** Turns a list of Apis into one function from Request to Response: routing, authorisation, and each dialect's own words for failures. */
import { Hono } from "hono";
import { ApiError } from "../model/errors.ts";
import { type Actor, authorize } from "./actor.ts";
import { withLimitedBody } from "./limited-body.ts";
import type { Api, Elsewhere, RequestContext, Route, Socket, SocketRoute } from "./route.ts";

/** What the connection knows about whoever sent the request. `actor` undefined: nobody we know. */
export interface Connection {
  readonly actor: Actor | undefined;
  readonly remoteAddress: string;
  readonly origin: string;
  /** The server that passed the request on; `actor` is then who asked there. */
  readonly via?: string;
}

/** A finished request, for the log and for metrics. */
export interface Served {
  readonly api: string;
  readonly route: string;
  readonly method: string;
  readonly path: string;
  readonly actor: string;
  readonly status: number;
}

export interface Mounted {
  handle(request: Request, connection: Connection): Promise<Response>;
  /** Finds and opens a WebSocket route; a Response instead of a socket taker is a refusal. */
  openSocket(
    request: Request,
    connection: Connection,
  ): Promise<Response | { readonly protocols: readonly string[]; readonly take: (socket: Socket) => void }>;
  /** Every route there is, for the test that none escapes authorisation. */
  readonly routes: readonly { readonly api: string; readonly route: Route | SocketRoute }[];
}

interface Bindings {
  readonly Bindings: { readonly connection: Connection };
}

/** `onBug` is told of failures that no dialect has words for. `elsewhere`: the leader, while that is another process. */
export function mountApis(
  apis: readonly Api[],
  onServed: (served: Served) => void = () => {},
  onBug: (error: unknown, route: string) => void = () => {},
  elsewhere: () => Elsewhere | undefined = () => undefined,
): Mounted {
  const router = new Hono<Bindings>();
  const sockets = new Hono<SocketBindings>();
  for (const api of apis) {
    for (const route of api.routes) mountRoute(router, api, route, { onServed, onBug, elsewhere });
    for (const route of api.sockets ?? []) mountSocket(sockets, api, route, elsewhere);
  }
  router.notFound((context) => notFound(apis, context.req.raw));
  router.onError(
    (error, context) =>
      apiFor(apis, context.req.raw)?.renderError(error, context.req.raw) ?? plain(500, "internal error"),
  );

  return {
    handle: async (request, connection) => router.fetch(request, { connection }),
    async openSocket(request, connection) {
      const found: { value?: OpenSocket } = {};
      const response = await sockets.fetch(request, { connection, found });
      return found.value ?? response;
    },
    routes: apis.flatMap((api) => [...api.routes, ...(api.sockets ?? [])].map((route) => ({ api: api.name, route }))),
  };
}

interface OpenSocket {
  readonly protocols: readonly string[];
  readonly take: (socket: Socket) => void;
}

interface SocketBindings {
  readonly Bindings: { readonly connection: Connection; readonly found: { value?: OpenSocket } };
}

interface Surroundings {
  readonly onServed: (served: Served) => void;
  readonly onBug: (error: unknown, route: string) => void;
  readonly elsewhere: () => Elsewhere | undefined;
}

function mountRoute(router: Hono<Bindings>, api: Api, route: Route, around: Surroundings): void {
  const { onServed, onBug, elsewhere } = around;
  router.on(route.method, route.path, async (c) => {
    const { connection } = c.env;
    const request = c.req.raw;
    const respond = async () => {
      try {
        const context = contextOf(request, connection, route, c.req.param() as Record<string, string>);
        const leader = route.access.verb === "read" && !route.atLeader ? undefined : elsewhere();
        if (leader) return await leader.forward(withLimitedBody(request), context);
        return await route.handle(withLimitedBody(request), context);
      } catch (error) {
        if (!(error instanceof ApiError) && !request.signal.aborted) onBug(error, `${route.method} ${route.path}`);
        return api.renderError(error, request);
      }
    };
    const response = await respond();
    onServed({
      api: api.name,
      route: route.path,
      method: request.method,
      path: c.req.path,
      actor: connection.actor?.name ?? "",
      status: response.status,
    });
    return response;
  });
}

function mountSocket(
  sockets: Hono<SocketBindings>,
  api: Api,
  route: SocketRoute,
  elsewhere: () => Elsewhere | undefined,
): void {
  sockets.get(route.path, async (c) => {
    const request = c.req.raw;
    try {
      const context = contextOf(request, c.env.connection, route, c.req.param() as Record<string, string>);
      const leader = route.here ? undefined : elsewhere();
      const take = await (leader ? leader.openSocket(request, context) : route.open(request, context));
      if (take instanceof Response) return take;
      c.env.found.value = { protocols: route.protocols, take };
      return new Response(null, { status: 204 });
    } catch (error) {
      return api.renderError(error, request);
    }
  });
}

/** Denies by default: no actor is 401, an actor without the right is 403. Nothing of a handler runs before this. */
function contextOf(
  request: Request,
  { actor, remoteAddress, origin }: Connection,
  { access }: Route | SocketRoute,
  params: Readonly<Record<string, string>>,
): RequestContext {
  if (!actor)
    throw new ApiError(
      "Unauthorized",
      "Unauthorized: send a token of this cluster, or a client certificate that its CA signed",
    );
  if (!authorize(actor, access)) {
    throw new ApiError("Forbidden", `"${actor.name}" may not ${access.verb} ${access.resource}`);
  }
  return { actor, params, url: new URL(request.url), signal: request.signal, origin, remoteAddress };
}

const METHODS: readonly Route["method"][] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];

function notFound(apis: readonly Api[], request: Request): Response | Promise<Response> {
  const api = apiFor(apis, request);
  return api ? api.notFound(request, allowedMethods(api, request)) : plain(404, "404 page not found");
}

/** Which methods the path would have taken: a router of its own per call, because this is the rare path. */
function allowedMethods(api: Api, request: Request): readonly string[] {
  const path = new URL(request.url).pathname;
  return METHODS.filter((method) => {
    const routes = api.routes.filter((route) => route.method === method);
    if (routes.length === 0) return false;
    const probe = new Hono();
    for (const route of routes) probe.on(method, route.path, (c) => c.body(null, 200));
    return probe.router.match(method, path)[0].length > 0;
  });
}

function apiFor(apis: readonly Api[], request: Request): Api | undefined {
  const path = new URL(request.url).pathname;
  const owns = (prefix: string) => path === prefix || path.startsWith(prefix.endsWith("/") ? prefix : `${prefix}/`);
  let best: { api: Api; length: number } | undefined;
  for (const api of apis) {
    for (const prefix of api.prefixes) {
      if (owns(prefix) && prefix.length > (best?.length ?? -1)) best = { api, length: prefix.length };
    }
  }
  return best?.api;
}

function plain(status: number, text: string): Response {
  return new Response(`${text}\n`, { status, headers: { "Content-Type": "text/plain; charset=utf-8" } });
}
