/** Turns a list of Apis into one function from Request to Response: routing, authorisation, and each dialect's own words for failures. */
import { Hono } from "hono";
import { ApiError } from "../model/errors.ts";
import type { Connection } from "./connection.ts";
import { admit, type FrontDesk, type Visit } from "./front-desk.ts";
import { withLimitedBody } from "./limited-body.ts";
import type { Api, Elsewhere, Route, Socket, SocketRoute } from "./route.ts";
import { type Served, servedOf } from "./served.ts";

export type { Connection } from "./connection.ts";
export type { Served } from "./served.ts";

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

/**
 * `onBug` is told of failures that no dialect has words for. `elsewhere`: the leader, while that is another process.
 * `monotonicMs`: how long requests take goes by it.
 */
export function mountApis(
  apis: readonly Api[],
  onServed: (served: Served) => void = () => {},
  onBug: (error: unknown, route: string, request: Request) => void = () => {},
  elsewhere: () => Elsewhere | undefined = () => undefined,
  desk: FrontDesk = {},
  monotonicMs: () => number = () => 0,
): Mounted {
  const router = new Hono<Bindings>();
  const sockets = new Hono<SocketBindings>();
  const around: Surroundings = { onServed, onBug, elsewhere, desk, monotonicMs };
  for (const api of apis) {
    for (const route of api.routes) mountRoute(router, api, route, around);
    for (const route of api.sockets ?? []) mountSocket(sockets, api, route, around);
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
  readonly onBug: (error: unknown, route: string, request: Request) => void;
  readonly elsewhere: () => Elsewhere | undefined;
  readonly desk: FrontDesk;
  readonly monotonicMs: () => number;
}

function mountRoute(router: Hono<Bindings>, api: Api, route: Route, around: Surroundings): void {
  const { onServed, onBug, elsewhere, desk, monotonicMs } = around;
  router.on(route.method, route.path, async (c) => {
    const { connection } = c.env;
    const request = c.req.raw;
    const params = c.req.param() as Record<string, string>;
    const beganMs = monotonicMs();
    const visit: Visit = {};
    let error: unknown;
    let forwarded = false;
    const respond = async () => {
      try {
        const context = admit(desk, visit, request, connection, route, params);
        const isHere = route.here || (route.access.verb === "read" && !route.atLeader);
        const leader = isHere ? undefined : elsewhere();
        if (!leader) return await route.handle(withLimitedBody(request), context);
        const answer = await leader.forward(withLimitedBody(request), context);
        forwarded = true;
        return answer;
      } catch (reason) {
        error = reason;
        visit.release?.();
        if (!(reason instanceof ApiError) && !request.signal.aborted)
          onBug(reason, `${route.method} ${route.path}`, request);
        return api.renderError(reason, request);
      }
    };
    const response = await respond();
    const outcome = { status: response.status, error, forwarded, tookMs: monotonicMs() - beganMs };
    onServed(servedOf(api.name, route, request, connection, params, visit.actor, outcome));
    return response;
  });
}

function mountSocket(
  sockets: Hono<SocketBindings>,
  api: Api,
  route: SocketRoute,
  { onServed, onBug, elsewhere, desk, monotonicMs }: Surroundings,
): void {
  sockets.get(route.path, async (c) => {
    const { connection, found } = c.env;
    const request = c.req.raw;
    const params = c.req.param() as Record<string, string>;
    const beganMs = monotonicMs();
    const visit: Visit = {};
    const served = (status: number, error: unknown, forwarded: boolean) => {
      const outcome = { status, error, forwarded, tookMs: monotonicMs() - beganMs };
      onServed(servedOf(api.name, route, request, connection, params, visit.actor, outcome));
    };
    try {
      const context = admit(desk, visit, request, connection, route, params);
      const leader = route.here ? undefined : elsewhere();
      const take = await (leader ? leader.openSocket(request, context) : route.open(request, context));
      if (take instanceof Response) {
        visit.release?.();
        served(take.status, undefined, true);
        return take;
      }
      found.value = { protocols: route.protocols, take };
      served(101, undefined, leader !== undefined);
      return new Response(null, { status: 204 });
    } catch (error) {
      visit.release?.();
      if (!(error instanceof ApiError) && !request.signal.aborted) onBug(error, `GET ${route.path}`, request);
      const response = api.renderError(error, request);
      served(response.status, error, false);
      return response;
    }
  });
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
