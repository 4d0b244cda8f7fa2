/** Whom a pod asks for a name, and which names it tries. Pure. */
import type { NameAsker } from "../../model/network-questions.ts";
import { podDns } from "../names/pod-dns.ts";
import type { ResolvConf } from "../names/resolv-conf.ts";
import type { NetworkState } from "../plane/network-state.ts";

export interface AskedNames {
  /** Its first server. */
  readonly server: string;
  /** Nobody but the pod itself is to be asked there: the address is one that its owner chose. */
  readonly isItsOwn: boolean;
  /** As resolv.conf(5) has it: searches and ndots. */
  readonly candidates: readonly string[];
}

const SPARE: NameAsker = { metadata: { namespace: "default" }, spec: {} };
/** resolv.conf(5). */
const USUAL_DOTS = 1;

/** Undefined: this node answers no names yet. */
export function askedNames(
  { gateway, cluster }: NetworkState,
  host: ResolvConf,
  name: string,
  asker: NameAsker = SPARE,
): AskedNames | undefined {
  if (gateway === undefined) return undefined;
  const given = podDns(asker, {
    server: gateway,
    domain: cluster?.domain ?? "cluster.local",
    host,
  });
  // What a pod is not given it has of its host; with `None` it is given what it says itself, and nothing else.
  const isNone = asker.spec.dnsPolicy === "None";
  const of = (mine: readonly string[] = [], hosts: readonly string[]) => (isNone || mine.length > 0 ? mine : hosts);
  const nameservers = of(given?.nameservers, host.nameservers);
  const searches = of(given?.searches, host.searches);
  const options = of(given?.options, host.options);
  const [server] = nameservers;
  if (server === undefined) return undefined;
  const isItsOwn = server !== gateway && !host.nameservers.includes(server);
  return { server, isItsOwn, candidates: candidatesOf(name, searches, dotsOf(options)) };
}

function dotsOf(options: readonly string[]): number {
  const said = options.findLast((option) => option.startsWith("ndots:"));
  return said === undefined ? USUAL_DOTS : Number(said.slice("ndots:".length));
}

function candidatesOf(name: string, searches: readonly string[], dots: number): readonly string[] {
  if (name.endsWith(".")) return [name.slice(0, -1)];
  const searched = searches.map((domain) => `${name}.${domain}`);
  return name.split(".").length > dots ? [name, ...searched] : [...searched, name];
}
