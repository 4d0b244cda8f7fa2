/** Turns a list of Apis into one function from Request to Response: routing, authorisation, and each dialect's own words for failures. */
import { Hono } from "hono";
import { ApiError } from "../model/errors.ts";
import type { Connection } from "./connection.ts";
import { admit, type FrontDesk, type Visit } from "./front-desk.ts";
import { withLimitedBody } from "./limited-body.ts";
import type { Api, Elsewhere, RequestContext, Route, Socket, SocketRoute } from "./route.ts";
import { type Served, servedOf } from "./served.ts";
import { Unrouted } from "./unrouted.ts";

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
  const unrouted = new Unrouted(apis, desk);
  router.notFound((context) => unrouted.answer(context.req.raw, context.env.connection));
  router.onError((error, context) => unrouted.renderError(error, context.req.raw));

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
  const { onServed, monotonicMs } = around;
  router.on(route.method, route.path, async (c) => {
    const { connection } = c.env;
    const request = c.req.raw;
    const params = c.req.param() as Record<string, string>;
    const beganMs = monotonicMs();
    const visit: Visit = {};
    const { response, error, forwarded } = await answer(api, route, around, visit, request, connection, params);
    const { subject } = visit;
    const outcome = { status: response.status, error, forwarded, tookMs: monotonicMs() - beganMs, subject };
    onServed(servedOf(api.name, route, request, connection, params, visit.actor, outcome));
    return response;
  });
}

interface Answered {
  readonly response: Response;
  readonly error?: unknown;
  readonly forwarded: boolean;
}

async function answer(
  api: Api,
  route: Route,
  { onBug, elsewhere, desk }: Surroundings,
  visit: Visit,
  request: Request,
  connection: Connection,
  params: Readonly<Record<string, string>>,
): Promise<Answered> {
  try {
    const context = admit(desk, visit, request, connection, route, params);
    const isHere = route.here || (route.access.verb === "read" && !route.atLeader);
    const leader = isHere ? undefined : elsewhere();
    const limited = withLimitedBody(request, route.mostBytes);
    const isMissed = route.atLeader === "if any" && !leader?.isThere;
    if (leader && !isMissed) {
      const response = await forwarded(leader, route, limited, context);
      if (response) return { response, forwarded: true };
    }
    return { response: await route.handle(limited, context), forwarded: false };
  } catch (thrown) {
    visit.release?.();
    const error = known(thrown, request);
    if (!(error instanceof ApiError)) onBug(error, `${route.method} ${route.path}`, request);
    return { response: api.renderError(error, request), error, forwarded: false };
  }
}

/** Undefined: the leader was lost meanwhile, and for this route whoever is asked answers then. */
async function forwarded(
  leader: Elsewhere,
  { atLeader }: Route,
  request: Request,
  context: RequestContext,
): Promise<Response | undefined> {
  try {
    return await leader.forward(request, context);
  } catch (error) {
    if (atLeader !== "if any" || leader.isThere || !(error instanceof ApiError)) throw error;
    return undefined;
  }
}

/** What fails because the client has gone is no bug of ours. */
function known(error: unknown, { signal }: Request): unknown {
  if (error instanceof ApiError || !signal.aborted) return error;
  return new ApiError("BadRequest", "the client went away before its request was answered");
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
    } catch (thrown) {
      visit.release?.();
      const error = known(thrown, request);
      if (!(error instanceof ApiError)) onBug(error, `GET ${route.path}`, request);
      const response = api.renderError(error, request);
      served(response.status, error, false);
      return response;
    }
  });
}
