/** Requests that no route matches: in the words of the dialect whose prefix they have. */
import { Hono } from "hono";
import type { Connection } from "./connection.ts";
import { type FrontDesk, slowDown } from "./front-desk.ts";
import type { Api, Route } from "./route.ts";

const METHODS: readonly Route["method"][] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];

type Probes = ReadonlyMap<Route["method"], Hono>;

export class Unrouted {
  readonly #apis: readonly Api[];
  readonly #desk: FrontDesk;
  /** Made once for each API, by the first who needs them: most never do. */
  readonly #probes = new Map<Api, Probes>();

  constructor(apis: readonly Api[], desk: FrontDesk) {
    this.#apis = apis;
    this.#desk = desk;
  }

  answer(request: Request, connection: Connection): Response {
    const api = this.#apiFor(request);
    if (!api) return plain(404, "404 page not found");
    try {
      slowDown(this.#desk, connection);
    } catch (error) {
      return api.renderError(error, request);
    }
    return api.notFound(request, this.#allowedMethods(api, request));
  }

  /** Of what a router met itself: a path that it cannot decode. */
  renderError(error: unknown, request: Request): Response {
    return this.#apiFor(request)?.renderError(error, request) ?? plain(500, "internal error");
  }

  /** Which methods the path would have taken. */
  #allowedMethods(api: Api, request: Request): readonly string[] {
    const path = new URL(request.url).pathname;
    const probes = this.#probes.get(api) ?? probesOf(api);
    this.#probes.set(api, probes);
    return METHODS.filter((method) => (probes.get(method)?.router.match(method, path)[0].length ?? 0) > 0);
  }

  #apiFor(request: Request): Api | undefined {
    const path = new URL(request.url).pathname;
    const owns = (prefix: string) => path === prefix || path.startsWith(prefix.endsWith("/") ? prefix : `${prefix}/`);
    let best: { api: Api; length: number } | undefined;
    for (const api of this.#apis) {
      for (const prefix of api.prefixes) {
        if (owns(prefix) && prefix.length > (best?.length ?? -1)) best = { api, length: prefix.length };
      }
    }
    return best?.api;
  }
}

function probesOf(api: Api): Probes {
  const probes = new Map<Route["method"], Hono>();
  for (const { method, path } of api.routes) {
    const probe = probes.get(method) ?? new Hono();
    probes.set(method, probe);
    probe.on(method, path, (c) => c.body(null, 200));
  }
  return probes;
}

function plain(status: number, text: string): Response {
  return new Response(`${text}\n`, { status, headers: { "Content-Type": "text/plain; charset=utf-8" } });
}
