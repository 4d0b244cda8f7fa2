/**
 * What pods of this node send to a host port of a closed one is led to it by us. Docker as it is usually installed leaves it to a program of
 * the host (its userland proxy), and what the host itself sends to a pod is not asked for. Pure.
 */
import type { LocalPod } from "../plane/network-state.ts";
import { isAddress, isPort, named, type Thing } from "./thing.ts";

const PORTS_MAP = "pol-ports";
/** Of those that are published at one address of the host: at another one the same number is somebody else's. */
const PLACES_MAP = "pol-places";
/** Docker's translations are at -100, those of Services before ours. */
const BEFORE_DOCKER = "type nat hook prerouting priority -103; policy accept;";

/** `podRange`: of this node. */
export function publishedBase(podRange: string | undefined): readonly (readonly [string, Thing])[] {
  const from = podRange === undefined ? [] : [`ip saddr ${podRange} fib daddr type local meta l4proto`];
  const rules = from.flatMap((match) => [
    `${match} . ip daddr . th dport vmap @${PLACES_MAP}`,
    `${match} . th dport vmap @${PORTS_MAP}`,
  ]);
  const comment = "host ports of pods that are closed";
  return [
    [PLACES_MAP, { kind: "map", type: "inet_proto . ipv4_addr . inet_service", comment: `${comment}, at one address` }],
    [PORTS_MAP, { kind: "map", type: "inet_proto . inet_service", comment }],
    ["pol-published", { kind: "chain", comment, rules, hook: BEFORE_DOCKER }],
  ];
}

/** A pod reaches its own host ports through Docker: nothing comes back to who is asked from his own address. */
export function publishedThings({
  uid,
  namespace,
  name,
  address,
  published = [],
}: LocalPod): ReadonlyMap<string, Thing> {
  const things = new Map<string, Thing>();
  for (const { protocol, hostPort, containerPort, hostIP } of published) {
    if (![hostPort, containerPort].every(isPort)) continue;
    const isAnywhere = hostIP === undefined || hostIP === "0.0.0.0";
    if (!isAnywhere && !isAddress(hostIP)) continue;
    const [map, at] = isAnywhere ? [PORTS_MAP, ""] : [PLACES_MAP, `${hostIP} . `];
    const key = `${protocol} . ${at}${hostPort}`;
    const chain = named("h", `${uid} ${key}`);
    const comment = `host port ${hostPort} of pod ${namespace}/${name}`;
    const rules = [`ip saddr != ${address} meta l4proto ${protocol} dnat to ${address}:${containerPort}`];
    things.set(chain, { kind: "chain", comment, rules });
    things.set(`${map} ${key}`, { kind: "element", map, key, chain });
  }
  return things;
}
