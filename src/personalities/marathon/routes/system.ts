/** What is not about apps: /ping, /v2/info, /v2/leader, and the routes that are known and not served here. */
import type { RequestContext, Route } from "../../../http/route.ts";
import type { PersonalityContext } from "../../personality.ts";
import { noSuchPod, notSupported } from "../errors.ts";
import { absoluteId } from "../ids.ts";
import { answer } from "./answer.ts";

const READ = { verb: "read", resource: "cluster", reach: "own part" } as const;
const ADMIN = { verb: "admin", resource: "cluster", reach: "whole cluster" } as const;

const ofLeader = { method: "GET", access: READ, atLeader: "if any" } as const;

export function systemRoutes({ address, version, leader }: PersonalityContext): readonly Route[] {
  return [
    { method: "GET", path: "/ping", access: READ, handle: ping },
    { method: "HEAD", path: "/ping", access: READ, handle: ping },
    // Of several servers the one that leads says its own address.
    { ...ofLeader, path: "/v2/info", handle: (_, context) => answer(info(context), context) },
    { ...ofLeader, path: "/v2/leader", handle: (_, context) => answer({ leader: address }, context) },
    {
      method: "DELETE",
      path: "/v2/leader",
      access: ADMIN,
      handle: () => {
        throw notSupported("Giving up leadership is");
      },
    },
    { method: "GET", path: "/v2/plugins", access: READ, handle: (_, context) => answer({ plugins: [] }, context) },
    ...eventSubscriptions(),
    ...podRoutes(),
  ];

  /** Load balancers ask with any Accept; JSON only for who asks for nothing else. */
  function ping(request: Request): Response {
    const accept = request.headers.get("Accept") ?? "*/*";
    if (accept.includes("application/json") && !accept.includes("text/plain")) return Response.json("pong");
    return new Response("pong", { headers: { "Content-Type": "text/plain; charset=utf-8" } });
  }

  function info({ origin }: RequestContext): object {
    return {
      name: "marathon",
      // Clients choose their calls by it: the version whose behaviour is kept.
      version: "1.11.0",
      buildref: `styrmann-${version}`,
      elected: true,
      leader: address,
      frameworkId: "styrmann",
      marathon_config: marathonConfig(origin),
      zookeeper_config: {},
      http_config: { http_port: portOf(origin, "http:"), https_port: portOf(origin, "https:") },
    };
  }

  function marathonConfig(origin: string): object {
    return {
      executor: "//cmd",
      features: [],
      framework_name: "marathon",
      // Whether there is more than one that may lead.
      ha: leader !== undefined,
      hostname: address.slice(0, address.lastIndexOf(":")),
      local_port_max: 20000,
      local_port_min: 10000,
      mesos_role: "*",
      webui_url: origin,
    };
  }
}

function portOf(origin: string, protocol: string): number | undefined {
  const url = new URL(origin);
  if (url.protocol !== protocol) return undefined;
  return Number(url.port) || (protocol === "https:" ? 443 : 80);
}

/** Removed from Marathon in 1.5; clients still have methods for it, and listing none is true. */
function eventSubscriptions(): readonly Route[] {
  const path = "/v2/eventSubscriptions";
  const refuse = () => {
    throw notSupported("Event callbacks are");
  };
  return [
    { method: "GET", path, access: READ, handle: (_, context) => answer({ callbackUrls: [] }, context) },
    { method: "POST", path, access: { verb: "write", resource: "cluster" }, handle: refuse },
    { method: "DELETE", path, access: { verb: "write", resource: "cluster" }, handle: refuse },
  ];
}

/** There are none, so listing is true; making one is refused in words. */
function podRoutes(): readonly Route[] {
  const read = { verb: "read", resource: "apps" } as const;
  const write = { verb: "write", resource: "apps" } as const;
  const refuse = () => {
    throw notSupported("Marathon pods (/containers) are");
  };
  return [
    { method: "GET", path: "/v2/pods", access: read, handle: (_, context) => answer([], context) },
    { method: "HEAD", path: "/v2/pods", access: read, handle: refuse },
    { method: "POST", path: "/v2/pods", access: write, handle: refuse },
    { method: "GET", path: "/v2/pods/:id{.+}", access: read, handle: (_, context) => readPod(context) },
    { method: "PUT", path: "/v2/pods/:id{.+}", access: write, handle: refuse },
    { method: "DELETE", path: "/v2/pods/:id{.+}", access: write, handle: (_, context) => readPod(context) },
  ];
}

function readPod(context: RequestContext): Response {
  const id = context.params.id ?? "";
  if (id === "::status") return answer([], context);
  throw noSuchPod(absoluteId(id.replace(/::.*$/, "")));
}
