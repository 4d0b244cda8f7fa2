/** Whom a pod, or a host, asks for a name, and which names it tries. Pure. */
import type { NameAsker, TraceHop } from "../../model/network-questions.ts";
import { podDns } from "../names/pod-dns.ts";
import type { ResolvConf } from "../names/resolv-conf.ts";
import type { NetworkState } from "../plane/network-state.ts";

/** What came of it. */
export interface Named {
  readonly hop: TraceHop;
  readonly addresses: readonly string[];
}

export interface AskedNames {
  /** Its first server. */
  readonly server: string;
  /** Nobody but the pod itself is to be asked there: the address is one that its owner chose. */
  readonly isItsOwn: boolean;
  /** As resolv.conf(5) has it: searches and ndots. */
  readonly candidates: readonly string[];
}

/** resolv.conf(5): who is asked where nobody is named, */
const NOBODY_NAMED = "127.0.0.1";
/** and what counts where nothing is said. */
export const USUAL_DOTS = 1;

/** Without an asker the host itself asks. Undefined: this node answers no names yet. */
export function askedNames(
  { gateway, cluster }: NetworkState,
  host: ResolvConf,
  name: string,
  asker?: NameAsker,
): AskedNames | undefined {
  if (gateway === undefined) return undefined;
  const context = { server: gateway, domain: cluster?.domain ?? "cluster.local", host };
  const given = asker && podDns(asker, context);
  // What a pod is not given it has of its host; with `None` it is given what it says itself, and nothing else.
  const isNone = asker?.spec.dnsPolicy === "None";
  const of = (mine: readonly string[] = [], hosts: readonly string[]) => (isNone || mine.length > 0 ? mine : hosts);
  const hosts = host.nameservers.length > 0 ? host.nameservers : [NOBODY_NAMED];
  const nameservers = of(given?.nameservers, hosts);
  const searches = of(given?.searches, host.searches);
  const options = of(given?.options, host.options);
  const [server] = nameservers;
  if (server === undefined) return undefined;
  const isItsOwn = server !== gateway && !hosts.includes(server);
  return { server, isItsOwn, candidates: candidatesOf(name, searches, dotsOf(options)) };
}

export function isOfCluster(name: string, domain: string): boolean {
  return [domain, "marathon.mesos", "mesos", "fleet.local"].some((zone) => name.toLowerCase().endsWith(`.${zone}`));
}

function dotsOf(options: readonly string[]): number {
  const said = options.findLast((option) => option.startsWith("ndots:"));
  return said === undefined ? USUAL_DOTS : Number(said.slice("ndots:".length));
}

export function candidatesOf(name: string, searches: readonly string[], dots: number): readonly string[] {
  if (name.endsWith(".")) return [name.slice(0, -1)];
  const searched = searches.map((domain) => `${name}.${domain}`);
  return name.split(".").length > dots ? [name, ...searched] : [...searched, name];
}
