/**
 * Marathon-lb's labels that are in common use (its Longhelp.md), as routes: HAPROXY_{n}_… is about the n-th port of the app. Pure. What is
 * not done is said with the route.
 */
import type { RouteEntry, RouteOptions } from "../../model/network.ts";
import { parseHost, parsePath } from "../../model/way-in/host-and-path.ts";
import { SHARE_HOST, sharedWith } from "../../model/way-in/host-owners.ts";

export interface LabelledApp {
  readonly id: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Names of its ports, in their order. */
  readonly ports: readonly string[];
  /** RFC 3339. */
  readonly since: string;
}

type Route = Omit<RouteEntry, "kind">;

/** Labels of a port that are done, without HAPROXY_{n}_. */
const DONE = [
  ...["GROUP", "ENABLED", "VHOST", "PATH", "MODE", "STICKY", "REDIRECT_TO_HTTPS", "USE_HSTS", "SSL_CERT", "AUTH"],
  ...["BALANCE", "HTTP_BACKEND_PROXYPASS_PATH"],
];
/** Of the group that outside is for, and of every group. An app of other groups only (`internal`) is not shown to the world. */
const OUR_GROUPS: readonly string[] = ["external", "*"];

export function wayInRoutes(app: LabelledApp): readonly Route[] {
  const [first, ...more] = app.ports.flatMap((port, n) => routesOfPort(app, port, n));
  if (first === undefined) return [];
  // There is no other place where somebody would read it.
  const lost = labelsOfNoPort(app);
  return [lost.length > 0 ? { ...first, remarks: [...(first.remarks ?? []), ...lost] } : first, ...more];
}

function labelsOfNoPort({ labels, ports }: LabelledApp): readonly string[] {
  const names = Object.keys(labels).filter((name) => Number(/^HAPROXY_(\d+)_/.exec(name)?.[1] ?? 0) >= ports.length);
  return ports.length === 0 ? [] : names.sort().map((name) => `${name} is of a port that the app does not have`);
}

function routesOfPort(app: LabelledApp, port: string, n: number): readonly Route[] {
  const label = (name: string) => app.labels[`HAPROXY_${n}_${name}`]?.trim();
  const [vhosts, path] = [label("VHOST"), label("PATH")];
  if ((!vhosts && !path) || label("ENABLED") === "false") return [];
  const groups = label("GROUP") ?? app.labels.HAPROXY_GROUP;
  if (groups !== undefined && !words(groups).some((group) => OUR_GROUPS.includes(group))) return [];
  const { options, remarks: refused } = optionsOf(label);
  const remarks = [...unknownLabels(app.labels, n), ...refused];
  const hosts = vhosts ? words(vhosts) : [""];
  return hosts.flatMap((host, at) => {
    const [parsedHost, parsedPath] = [parseHost(host), parsePath(path || "/", "prefix")];
    const problem =
      "problem" in parsedHost ? parsedHost.problem : "problem" in parsedPath ? parsedPath.problem : undefined;
    const certificate = words(label("SSL_CERT") ?? "")[0];
    return {
      ...{ id: `marathon:${app.id}:${n}:${at}`, pathType: "prefix" },
      // As it was written, where it is none: whoever lists the routes is told.
      host: "host" in parsedHost ? parsedHost.host : host,
      path: "path" in parsedPath ? parsedPath.path : (path ?? "/"),
      ...{ service: `marathon:${app.id}`, port },
      ...(certificate ? { tls: { file: certificate } } : {}),
      ...(label("REDIRECT_TO_HTTPS") === "true" ? { redirectsToHttps: true as const } : {}),
      ...(Object.keys(options).length > 0 ? { options } : {}),
      ...(remarks.length > 0 || problem ? { remarks: [...(problem ? [problem] : []), ...remarks] } : {}),
      source: `Marathon app ${app.id}`,
      since: app.since,
      ...sharedWith(app.labels[SHARE_HOST]),
    } satisfies Route;
  });
}

function optionsOf(label: (name: string) => string | undefined): { options: RouteOptions; remarks: readonly string[] } {
  const [balance, auth, rewritePath] = [label("BALANCE"), label("AUTH"), label("HTTP_BACKEND_PROXYPASS_PATH")];
  const isKnown = balance === undefined || BALANCES.includes(balance);
  const options = {
    ...(balance !== undefined && isKnown ? { balance: balance as NonNullable<RouteOptions["balance"]> } : {}),
    ...(label("STICKY") === "true" ? { sticky: true as const } : {}),
    ...(label("USE_HSTS") === "true" ? { hsts: true as const } : {}),
    ...(label("MODE") === "tcp" ? { backendProtocol: "tcp" as const } : {}),
    ...(rewritePath ? { rewritePath } : {}),
    ...(auth === undefined ? {} : { auth: authOf(auth) }),
  };
  const mode = label("MODE") ?? "http";
  const remarks = [
    ...(isKnown ? [] : [`HAPROXY_n_BALANCE=${balance} is not done: roundrobin is`]),
    ...(["http", "tcp"].includes(mode) ? [] : [`HAPROXY_n_MODE=${mode} is not done: http is`]),
  ];
  return { options, remarks };
}

const BALANCES: readonly string[] = ["roundrobin", "leastconn", "source"];

/** `realm:user:encrypted password`. */
function authOf(text: string): NonNullable<RouteOptions["auth"]> {
  const [realm = "", user = "", ...password] = text.split(":");
  return { ...(realm ? { realm } : {}), users: [`${user}:${password.join(":")}`] };
}

function unknownLabels(labels: LabelledApp["labels"], n: number): readonly string[] {
  const start = `HAPROXY_${n}_`;
  const unknown = Object.keys(labels).filter(
    (name) => name.startsWith(start) && !DONE.includes(name.slice(start.length)),
  );
  return unknown.sort().map((name) => `${name} is not done`);
}

function words(text: string): readonly string[] {
  return text
    .split(",")
    .map((word) => word.trim())
    .filter((word) => word !== "");
}
