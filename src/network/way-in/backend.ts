import { createHash } from "node:crypto";
import type { RouteEntry, RouteOptions } from "../../model/network.ts";
import { keepsOut } from "../../model/way-in/protection.ts";
import { pathKey } from "../../model/way-in/route-key.ts";

/** Ends of the names of backends into which not everybody may come, and of what stands for those that cannot be served. */
export const GUARDED = ".guarded";
export const CLOSED = ".closed";
/** Within the names of those that put another path in place of several (render-rewrite.ts). */
export const REWRITING = ".rewriting";

/** What requests of a route come to: routes that differ in nothing but host and path share one. */
export interface Backend {
  readonly name: string;
  readonly service: string;
  readonly port: string | number;
  readonly options: RouteOptions;
  readonly redirectsToHttps: boolean;
  /** `options.rewritePath` stands in for the paths of this kind that a host has here. Of one host: the longest that begins a request is the one that matched. */
  readonly rewrites?: Pick<RouteEntry, "host" | "pathType">;
  /** The only path that it stands in for: one that is not written as it is found by. */
  readonly matchedPath?: string;
  /** For comments and logs. */
  readonly source: string;
}

export function backendOf(route: RouteEntry): Backend {
  const { service, port, options = {}, redirectsToHttps = false, source } = route;
  const what = {
    ...{ service, port, redirectsToHttps },
    options: Object.fromEntries(Object.entries(options).sort(([a], [b]) => (a < b ? -1 : 1))) as RouteOptions,
    ...(options.rewritePath === undefined ? {} : rewritingOf(route)),
  };
  const digest = createHash("sha256").update(JSON.stringify(what)).digest("hex").slice(0, 32);
  const readable = `${service}-${port}`.replaceAll(/[^A-Za-z0-9_.-]+/g, "-").slice(0, 60);
  return {
    ...what,
    name: `to-${readable}-${digest}${"rewrites" in what ? REWRITING : ""}${keepsOut(route) ? GUARDED : ""}`,
    source,
  };
}

function rewritingOf({ host, path, pathType }: RouteEntry): Pick<Backend, "rewrites" | "matchedPath"> {
  return pathType === "exact" || pathKey(path) === path ? { rewrites: { host, pathType } } : { matchedPath: path };
}

/** In place of the backends of a namespace that would keep somebody out, and cannot be served: nobody comes in. */
export function closedName(namespace: string): string {
  return `to-${namespace}${CLOSED}`;
}
