/** Annotations of ingress-nginx that are done, as options of a route; the others are said with it. Pure. */
import type { RouteEntry, RouteOptions } from "../network.ts";
import { parsePath } from "./host-and-path.ts";
import { rangesOf, turnsAway } from "./protection.ts";

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
  // What they list is looked at where options are (option-problem.ts).
  "whitelist-source-range": () => true,
  "allowlist-source-range": () => true,
  "denylist-source-range": () => true,
};

/** Of those that are not done, which keep somebody out; by the beginning of their names. */
const PROTECTING = ["auth-", "limit-", "satisfy", "enable-modsecurity", "modsecurity-", "enable-owasp-"];
const SWITCHES = ["enable-modsecurity", "enable-owasp-core-rules"];

export function ingressOptions(annotations: Annotations): Pick<RouteEntry, "options" | "remarks" | "unguarded"> {
  const said = (name: string) => annotations[`${NGINX}${name}`];
  const protocol = said("backend-protocol") ?? "HTTP";
  const rewritePath = pathOf(said("rewrite-target") ?? "");
  const options: RouteOptions = {
    ...(said("affinity") === "cookie" ? { sticky: true } : {}),
    ...(protocol !== "HTTP" && Object.hasOwn(PROTOCOLS, protocol)
      ? { backendProtocol: PROTOCOLS[protocol] as Protocol }
      : {}),
    ...(rewritePath === undefined ? {} : { rewritePath }),
    ...rangeOptions(said),
  };
  const remarks = undone(annotations);
  const unguarded = unguardedBy(annotations);
  return {
    ...(Object.keys(options).length === 0 ? {} : { options }),
    ...(remarks.length === 0 ? {} : { remarks }),
    ...(unguarded.length === 0 ? {} : { unguarded }),
  };
}

function rangeOptions(said: (name: string) => string | undefined): Pick<RouteOptions, "allowFrom" | "denyFrom"> {
  const allowFrom = rangesOf(said("whitelist-source-range")) ?? rangesOf(said("allowlist-source-range"));
  const denyFrom = rangesOf(said("denylist-source-range"));
  return { ...(allowFrom ? { allowFrom } : {}), ...(denyFrom ? { denyFrom } : {}) };
}

function unguardedBy(annotations: Annotations): readonly string[] {
  const ours = Object.entries(annotations).flatMap(([key, value]) =>
    key.startsWith(NGINX) ? [[key.slice(NGINX.length), value] as const] : [],
  );
  return ours.flatMap(([name, value]) => (keepsOut(name, value) ? [name] : [])).sort();
}

function keepsOut(name: string, value: string): boolean {
  if (name.endsWith("-snippet")) return turnsAway(value);
  if (value === "" || (SWITCHES.includes(name) && value === "false")) return false;
  return PROTECTING.some((start) => name.startsWith(start));
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
