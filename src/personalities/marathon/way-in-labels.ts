/**
 * Marathon-lb's labels that are in common use (its Longhelp.md), as routes: HAPROXY_{n}_… is about the n-th port of the app. Pure. What is
 * not done is said with the route.
 */
import type { RouteEntry, RouteOptions } from "../../model/network.ts";
import { parseHost, parsePath } from "../../model/way-in/host-and-path.ts";
import { SHARE_HOST, sharedWith } from "../../model/way-in/host-owners.ts";
import { rangesOf, turnsAway } from "../../model/way-in/protection.ts";

export interface LabelledApp {
  readonly id: string;
  readonly labels: Readonly<Record<string, string>>;
  /** What routes call its ports, in their order. */
  readonly ports: readonly string[];
  /** RFC 3339. */
  readonly since: string;
}

type Route = Omit<RouteEntry, "kind">;

/** Addresses that may ask, between blanks. */
const ALLOWED = "BACKEND_NETWORK_ALLOWED_ACL";

/** Of one port, hosts times paths: few letters could say a million. */
const MOST_ROUTES = 500;

/** Labels of a port that are done, without HAPROXY_{n}_. */
const DONE = [
  ...["GROUP", "ENABLED", "VHOST", "PATH", "MODE", "STICKY", "REDIRECT_TO_HTTPS", "USE_HSTS", "SSL_CERT", "AUTH"],
  ...["BALANCE", "HTTP_BACKEND_PROXYPASS_PATH", ALLOWED],
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
  const enabled = label("ENABLED");
  if ((!vhosts && !path) || (enabled !== undefined && !isTrue(enabled))) return [];
  const groups = label("GROUP") ?? app.labels.HAPROXY_GROUP;
  if (groups !== undefined && !words(groups).some((group) => OUR_GROUPS.includes(group))) return [];
  const { options, remarks: refused } = optionsOf(label);
  const unknown = unknownLabels(app.labels, n);
  const remarks = [...unknown.map((name) => `${name} is not done`), ...refused];
  const unguarded = unknown.filter((name) => turnsAway(app.labels[name] ?? ""));
  const allHosts = vhosts ? words(vhosts) : [""];
  const hosts = allHosts.slice(0, MOST_ROUTES);
  // `-i /one /two`, as it stands behind HAProxy's path_beg there.
  const all = (path ?? "/").split(/\s+/).filter((each) => each !== "-i");
  const paths = all.slice(0, Math.max(1, Math.floor(MOST_ROUTES / hosts.length)));
  if (paths.length < all.length || hosts.length < allHosts.length)
    remarks.push(`hosts times paths of a port are ${MOST_ROUTES} at most: further ones are not done`);
  if (/^-i\s/.test(path ?? "")) remarks.push(`HAPROXY_${n}_PATH: -i is not done: small and large letters differ`);
  return hosts.flatMap((host, at) =>
    paths.map((each, pathAt): Route => {
      const [parsedHost, parsedPath] = [parseHost(host), parsePath(each || "/", "prefix")];
      const problem =
        "problem" in parsedHost ? parsedHost.problem : "problem" in parsedPath ? parsedPath.problem : undefined;
      const certificate = words(label("SSL_CERT") ?? "")[0];
      return {
        ...{ id: [`marathon:${app.id}`, n, at, ...(pathAt > 0 ? [pathAt] : [])].join(":"), pathType: "prefix" },
        // As it was written, where it is none: whoever lists the routes is told.
        host: "host" in parsedHost ? parsedHost.host : host,
        path: "path" in parsedPath ? parsedPath.path : each,
        ...{ service: `marathon:${app.id}`, port },
        ...(certificate ? { tls: { file: certificate } } : {}),
        ...(isTrue(label("REDIRECT_TO_HTTPS")) ? { redirectsToHttps: true as const } : {}),
        ...(Object.keys(options).length > 0 ? { options } : {}),
        ...(remarks.length > 0 || problem ? { remarks: [...(problem ? [problem] : []), ...remarks] } : {}),
        ...(unguarded.length > 0 ? { unguarded } : {}),
        source: `Marathon app ${app.id}`,
        since: app.since,
        ...sharedWith(app.labels[SHARE_HOST]),
      };
    }),
  );
}

/** As marathon-lb reads it (config.py, string_to_bool): every other word is no. */
function isTrue(text: string | undefined): boolean {
  return ["true", "t", "yes", "y"].includes(text?.toLowerCase() ?? "");
}

function optionsOf(label: (name: string) => string | undefined): { options: RouteOptions; remarks: readonly string[] } {
  const [balance, auth, stripPath] = [label("BALANCE"), label("AUTH"), label("HTTP_BACKEND_PROXYPASS_PATH")];
  const mode = label("MODE")?.toLowerCase() ?? "http";
  const allowFrom = rangesOf(label(ALLOWED));
  const isKnown = balance === undefined || BALANCES.includes(balance);
  const options = {
    ...(balance !== undefined && isKnown ? { balance: balance as NonNullable<RouteOptions["balance"]> } : {}),
    ...(isTrue(label("STICKY")) ? { sticky: true as const } : {}),
    ...(isTrue(label("USE_HSTS")) ? { hsts: true as const } : {}),
    ...(mode === "tcp" ? { backendProtocol: "tcp" as const } : {}),
    ...(stripPath ? { stripPath } : {}),
    ...(auth === undefined ? {} : { auth: authOf(auth) }),
    ...(allowFrom === undefined ? {} : { allowFrom }),
  };
  const remarks = [
    ...(isKnown ? [] : [`HAPROXY_n_BALANCE=${balance} is not done: roundrobin is`]),
    ...(allowFrom ? [`HAPROXY_n_${ALLOWED} holds for its hosts, not at its service port`] : []),
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
  return unknown.sort();
}

function words(text: string): readonly string[] {
  return text
    .split(",")
    .map((word) => word.trim())
    .filter((word) => word !== "");
}
