/** What an Ingress says, as routes. Pure. Rules: networking.k8s.io/v1, and annotations of ingress-nginx that are in common use. */
import type { Ingress, IngressBackend } from "../ingress.ts";
import { CLASS_ANNOTATION } from "../ingress-class.ts";
import type { RouteEntry, RouteTls } from "../network.ts";
import { acmeTls, type SecretVersion } from "./acme-secret.ts";
import { NGINX } from "./controller-annotations.ts";
import { parseHost, parsePath } from "./host-and-path.ts";
import { SHARE_HOST, sharedWith } from "./host-owners.ts";
import { ingressOptions } from "./ingress-options.ts";
import { patternOf } from "./ingress-patterns.ts";
import { tlsEntries, unusedTlsHosts } from "./ingress-tls.ts";
import { keepsOut } from "./protection.ts";

/** Ingresses of this class, and those of none, come in through us. */
export const INGRESS_CLASS = "styrmann";

export interface IngressRoutes {
  readonly routes: readonly RouteEntry[];
  /** Parts that lead nowhere, and why. */
  readonly problems: readonly string[];
}

/** `versionOf`: resource version of the Secret of that key; undefined: there is none (yet). */
export function ingressRoutes(ingress: Ingress, versionOf: SecretVersion): IngressRoutes {
  if (!isOurs(ingress)) return { routes: [], problems: [] };
  const found = new Finder(ingress, versionOf);
  const { rules = [], defaultBackend } = ingress.spec ?? {};
  for (const { host = "", http } of rules) {
    for (const { path = "/", pathType, backend } of http?.paths ?? [])
      found.add(host, path, pathType === "Exact" ? "exact" : "prefix", backend);
    // A rule without paths sends its host to the default backend.
    if (!http && defaultBackend) found.add(host, "/", "prefix", defaultBackend);
  }
  if (defaultBackend) found.add("", "/", "prefix", defaultBackend);
  return { problems: found.problems, routes: withUnusedTls(ingress, found.routes) };
}

/** Said with the first of them: nobody shows a certificate there. */
function withUnusedTls({ spec }: Ingress, routes: readonly RouteEntry[]): readonly RouteEntry[] {
  const [first, ...more] = routes;
  const unused = unusedTlsHosts(
    spec ?? {},
    routes.map(({ host }) => host),
  );
  if (first === undefined || unused.length === 0) return routes;
  const words = `tls names ${unused.slice(0, 5).join(", ")}${unused.length > 5 ? ", …" : ""}, for which it has no rule`;
  return [{ ...first, remarks: [...(first.remarks ?? []), words] }, ...more];
}

/** The class that no Ingress has to name is ours. */
export function isOurs(ingress: Ingress): boolean {
  return ingress.metadata.deletionTimestamp === undefined && (classOf(ingress) ?? INGRESS_CLASS) === INGRESS_CLASS;
}

export function classOf({ metadata, spec }: Ingress): string | undefined {
  return spec?.ingressClassName ?? metadata.annotations?.[CLASS_ANNOTATION];
}

type Said = { readonly text: string } & Pick<
  RouteEntry,
  "pathType" | "matchesLetters" | "options" | "remarks" | "unguarded"
>;

class Finder implements IngressRoutes {
  readonly routes: RouteEntry[] = [];
  readonly problems: string[] = [];
  readonly #ingress: Ingress;
  readonly #versionOf: SecretVersion;
  readonly #tlsEntryOf: ReturnType<typeof tlsEntries>;

  constructor(ingress: Ingress, versionOf: SecretVersion) {
    this.#ingress = ingress;
    this.#versionOf = versionOf;
    this.#tlsEntryOf = tlsEntries(ingress.spec ?? {});
  }

  add(hostText: string, pathText: string, pathType: RouteEntry["pathType"], { service }: IngressBackend): void {
    const { namespace, name } = this.#ingress.metadata;
    const host = parseHost(hostText);
    const { text, ...said } = this.#read(pathText === "" ? "/" : pathText, pathType);
    const path = parsePath(text, said.pathType);
    if ("problem" in host) this.problems.push(host.problem);
    else if ("problem" in path) this.problems.push(path.problem);
    else if (service === undefined) this.problems.push(`${hostText}${pathText}: only services can be a backend`);
    else {
      const tls = this.#tlsOf(host.host);
      this.routes.push({
        ...{ kind: "route", id: `ingress:${namespace}/${name}:${this.routes.length}` },
        ...{ host: host.host, path: path.path, service: `${namespace}/${service.name}` },
        port: service.port?.name ?? service.port?.number ?? "",
        ...(tls ? { tls } : {}),
        ...(this.#redirects(tls) ? { redirectsToHttps: true as const } : {}),
        ...said,
        source: `Ingress ${namespace}/${name}`,
        since: sinceOf(this.#ingress, host.host),
        ...sharedWith(this.#ingress.metadata.annotations?.[SHARE_HOST]),
      });
    }
  }

  /** A path, or a pattern, with what the annotations say of it. */
  #read(text: string, pathType: RouteEntry["pathType"]): Said {
    const { annotations = {} } = this.#ingress.metadata;
    const { remarks = [], ...said } = ingressOptions(annotations);
    const rest = remarks.length > 0 ? { remarks } : {};
    const pattern = patternOf(text, annotations);
    if (pattern === undefined) return { text, pathType, ...said, ...rest };
    if ("below" in pattern) {
      const left = remarks.filter((each) => !/^(?:rewrite-target|use-regex)\b/.test(each));
      const put = pattern.put === undefined ? {} : { options: { ...said.options, rewritePath: pattern.put } };
      const kept = left.length > 0 ? { remarks: left } : {};
      return { text: pattern.below || "/", pathType: "prefix", ...said, ...put, ...kept };
    }
    if (!keepsOut(said)) return { text, pathType, ...said, ...rest };
    const unguarded = [...(said.unguarded ?? []), `the pattern ${text}`];
    return { text: pattern.beginsWith, pathType: "prefix", matchesLetters: true, ...said, unguarded, ...rest };
  }

  #tlsOf(host: string): RouteTls | undefined {
    if (host === "") return undefined;
    const { namespace } = this.#ingress.metadata;
    const entry = this.#tlsEntryOf(host);
    if (entry === undefined) return undefined;
    if (entry.secretName === undefined) return acmeTls(host, this.#versionOf);
    const secret = `${namespace}/${entry.secretName}`;
    return { secret, version: this.#versionOf(secret) ?? "" };
  }

  /** As ingress-nginx does it: a host with a certificate is sent to it, unless that is taken back. */
  #redirects(tls: RouteTls | undefined): boolean {
    const said = this.#ingress.metadata.annotations ?? {};
    if (said[`${NGINX}force-ssl-redirect`] === "true") return true;
    return tls !== undefined && said[`${NGINX}ssl-redirect`] !== "false";
  }
}

/** An Ingress that is older than its claim to a host has had the host since it said so. */
function sinceOf({ metadata, status }: Ingress, host: string): string {
  return status?.hostsSince?.[host] ?? metadata.creationTimestamp;
}

/** What an Ingress has been since when: written by the server with every change, so that an old Ingress takes no host from a younger one. */
export function hostsSince(after: Ingress, before: Ingress, now: string): Readonly<Record<string, string>> {
  const had = new Set(hostsOf(before));
  const known = before.status?.hostsSince ?? {};
  const all = hostsOf(after).map((host) => [host, had.has(host) ? known[host] : now] as const);
  return Object.fromEntries(all.flatMap(([host, since]) => (since === undefined ? [] : [[host, since]])));
}

export function hostsOf(ingress: Ingress): readonly string[] {
  return (ingress.spec?.rules ?? []).flatMap(({ host = "" }) => {
    const parsed = parseHost(host);
    return "host" in parsed && parsed.host !== "" ? [parsed.host] : [];
  });
}
