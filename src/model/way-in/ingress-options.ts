/** Annotations of ingress-nginx that are done, as options of a route; the others are said with it. Pure. */
import type { RouteEntry, RouteOptions } from "../network.ts";
import { parsePath } from "./host-and-path.ts";

export const NGINX = "nginx.ingress.kubernetes.io/";

type Annotations = Readonly<Record<string, string>>;
type Protocol = NonNullable<RouteOptions["backendProtocol"]>;

const PROTOCOLS: Readonly<Record<string, Protocol>> = { HTTP: "http", HTTPS: "https", GRPC: "h2c", GRPCS: "https" };

/** Name → whether that value is done. */
const DONE: Readonly<Record<string, (value: string) => boolean>> = {
  "ssl-redirect": () => true,
  "force-ssl-redirect": () => true,
  affinity: (value) => value === "cookie",
  "backend-protocol": (value) => Object.hasOwn(PROTOCOLS, value),
  "rewrite-target": (value) => pathOf(value) !== undefined,
};

export function ingressOptions(annotations: Annotations): Pick<RouteEntry, "options" | "remarks"> {
  const said = (name: string) => annotations[`${NGINX}${name}`];
  const protocol = said("backend-protocol") ?? "HTTP";
  const rewritePath = pathOf(said("rewrite-target") ?? "");
  const options: RouteOptions = {
    ...(said("affinity") === "cookie" ? { sticky: true } : {}),
    ...(protocol !== "HTTP" && Object.hasOwn(PROTOCOLS, protocol)
      ? { backendProtocol: PROTOCOLS[protocol] as Protocol }
      : {}),
    ...(rewritePath === undefined ? {} : { rewritePath }),
  };
  const remarks = undone(annotations);
  return {
    ...(Object.keys(options).length === 0 ? {} : { options }),
    ...(remarks.length === 0 ? {} : { remarks }),
  };
}

function undone(annotations: Annotations): readonly string[] {
  const ours = Object.entries(annotations).filter(([key]) => key.startsWith(NGINX));
  return ours.sort().flatMap(([key, value]) => {
    const name = key.slice(NGINX.length);
    const isDone = Object.hasOwn(DONE, name) ? DONE[name] : undefined;
    if (isDone?.(value)) return [];
    return [isDone ? `${name}: ${value.slice(0, 80)} is not done` : `${name} is not done`];
  });
}

/** What regular expressions found (`$1`) cannot be put in place: paths here are none. */
function pathOf(text: string): string | undefined {
  if (text === "" || text.includes("$")) return undefined;
  const parsed = parsePath(text, "exact");
  return "path" in parsed ? parsed.path : undefined;
}
