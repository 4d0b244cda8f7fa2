/**
 * The variables by which Kubernetes' pods are told of the Services of their namespace. Pure. Source: pkg/kubelet/envvars FromServices and
 * getServiceEnvVarMap in pkg/kubelet/kubelet_pods.go.
 */
import type { ServiceEntry, ServicePortEntry } from "../model/network.ts";
import type { Pod } from "../model/pod.ts";
import { ANNOTATION } from "../model/well-known.ts";
import type { NetworkState } from "./plane/network-state.ts";

/** How a pod reaches the API; pods of every namespace are told of it. */
const MASTER = { namespace: "default", name: "kubernetes" } as const;

export function serviceVariables(pod: Pod, state: NetworkState): Readonly<Record<string, string>> {
  // Programs that find these variables take them for a sign that they run in Kubernetes: pods of other dialects do not.
  if ((pod.metadata.annotations?.[ANNOTATION.dialect] ?? "kubernetes") !== "kubernetes") return {};
  const found = [...state.tables.service.values()].filter((service) => isToldOf(pod, service));
  const byName = new Map(found.map((service) => [service.name ?? "", service]));
  // A Service called kubernetes of the pod's own namespace comes before that of `default`.
  for (const own of found) if (own.namespace === pod.metadata.namespace) byName.set(own.name ?? "", own);
  const names = [...byName.keys()].sort();
  return Object.fromEntries(names.flatMap((name) => variablesOf(byName.get(name) as ServiceEntry)));
}

function isToldOf({ metadata, spec }: Pod, { namespace, name, addresses }: ServiceEntry): boolean {
  if (name === undefined || addresses.length === 0) return false;
  if (namespace === metadata.namespace && spec.enableServiceLinks !== false) return true;
  return namespace === MASTER.namespace && name === MASTER.name;
}

type Variable = readonly [name: string, value: string];

function variablesOf({ name = "", addresses: [address = ""], ports }: ServiceEntry): readonly Variable[] {
  const prefix = variableName(name);
  const [first] = ports;
  if (first === undefined) return [];
  return [
    [`${prefix}_SERVICE_HOST`, address],
    [`${prefix}_SERVICE_PORT`, String(first.port)],
    ...ports.flatMap((port): readonly Variable[] =>
      port.name === "" ? [] : [[`${prefix}_SERVICE_PORT_${variableName(port.name)}`, String(port.port)]],
    ),
    [`${prefix}_PORT`, urlOf(address, first)],
    ...ports.flatMap((port) => linkVariables(prefix, address, port)),
  ];
}

/** As Docker's links had them. */
function linkVariables(prefix: string, address: string, port: ServicePortEntry): readonly Variable[] {
  const link = `${prefix}_PORT_${port.port}_${port.protocol.toUpperCase()}`;
  return [
    [link, urlOf(address, port)],
    [`${link}_PROTO`, port.protocol],
    [`${link}_PORT`, String(port.port)],
    [`${link}_ADDR`, address],
  ];
}

function urlOf(address: string, { protocol, port }: ServicePortEntry): string {
  return `${protocol}://${address}:${port}`;
}

function variableName(name: string): string {
  return name.toUpperCase().replaceAll("-", "_");
}
