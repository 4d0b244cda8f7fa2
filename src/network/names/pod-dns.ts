/** Where a pod's containers ask for names, and below which names they look for short ones. Pure. */
import type { NameAsker } from "../../model/network-questions.ts";
import { ANNOTATION } from "../../model/well-known.ts";
import type { PodDns } from "../plane/network-plane.ts";
import { MOST_NAMESERVERS, MOST_SEARCHES, type ResolvConf } from "./resolv-conf.ts";

export interface PodDnsContext {
  /** Of the server of names on this node. */
  readonly server: string;
  readonly domain: string;
  /** The host's own. */
  readonly host: ResolvConf;
}

/** Kubernetes': names with fewer dots are looked for below the search list first. */
const KUBERNETES_DOTS = 5;
/**
 * Other dialects': `web` and `web.prod` are looked for below the list, `web.marathon.mesos` and `example.org.` are not. With 5, every
 * name from outside would be asked for six times; with 1, `web.prod` would go out to the world first.
 */
const OTHER_DOTS = 2;

/** Undefined: as the engine does it, which is as the host has it. */
export function podDns(pod: NameAsker, context: PodDnsContext): PodDns | undefined {
  const { dnsPolicy = "ClusterFirst", hostNetwork, dnsConfig = {} } = pod.spec;
  const base = baseOf(pod, dnsPolicy, hostNetwork === true, context);
  const { nameservers = [], searches = [], options = [] } = dnsConfig;
  const given = options.map(({ name, value }) => (value === undefined ? name : `${name}:${value}`));
  const domain = domainOf(pod, context);
  const isBare = base === undefined && nameservers.length + searches.length + given.length === 0;
  if (isBare && domain === undefined) return undefined;
  const names = base ?? { nameservers: [], searches: [], options: [] };
  return {
    nameservers: [...new Set([...names.nameservers, ...nameservers])].slice(0, MOST_NAMESERVERS),
    searches: [...new Set([...names.searches, ...searches.map(withoutDot)])].slice(0, MOST_SEARCHES),
    options: merged(names.options, given),
    ...(domain === undefined ? {} : { domain }),
  };
}

/** As kubelet: with a subdomain a pod has a whole name, whether a Service of that name makes it known or not. */
function domainOf({ metadata, spec }: NameAsker, { domain }: PodDnsContext): string | undefined {
  if (!spec.subdomain || spec.hostNetwork === true) return undefined;
  return `${spec.subdomain}.${metadata.namespace ?? "default"}.svc.${domain}`;
}

function baseOf(pod: NameAsker, policy: string, isOnHost: boolean, context: PodDnsContext): PodDns | undefined {
  if (policy === "None") return { nameservers: [], searches: [], options: [] };
  // On the host's network ClusterFirst is Default, unless it is said otherwise (Kubernetes: pods/dns).
  if (policy === "Default" || (policy === "ClusterFirst" && isOnHost)) return undefined;
  const { server, host } = context;
  const { searches, dots } = searchOf(pod, context.domain);
  return { nameservers: [server], searches: [...searches, ...host.searches], options: [`ndots:${dots}`] };
}

function searchOf(pod: NameAsker, domain: string): { readonly searches: readonly string[]; readonly dots: number } {
  const { namespace = "default", annotations = {} } = pod.metadata;
  const cluster = [`svc.${domain}`, domain];
  const dialect = annotations[ANNOTATION.dialect];
  // Its own dialect's names first, then those that everybody else finds in `default`.
  if (dialect === "marathon" || dialect === "fleet") {
    const own = dialect === "marathon" ? ["marathon.mesos", "fleet.local"] : ["fleet.local", "marathon.mesos"];
    return { searches: [...own, `default.svc.${domain}`, ...cluster], dots: OTHER_DOTS };
  }
  return { searches: [`${namespace}.svc.${domain}`, ...cluster], dots: KUBERNETES_DOTS };
}

/** A later option of the same name replaces an earlier one. */
function merged(base: readonly string[], given: readonly string[]): readonly string[] {
  const nameOf = (option: string) => option.split(":")[0] ?? "";
  return [...new Map([...base, ...given].map((option) => [nameOf(option), option])).values()];
}

function withoutDot(name: string): string {
  return name.replace(/\.$/, "");
}
