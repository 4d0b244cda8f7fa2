/**
 * Keeps the Service `kubernetes` of namespace `default`, by which pods reach the API: its address is the first of the service range, its
 * endpoints are the servers. Like Kubernetes' own it is written by the control plane itself, without a selector.
 */
import { isIPv4 } from "node:net";
import { formatAddress, parseSubnet } from "../../lib/subnet.ts";
import { CLUSTER_NETWORK_NAME, clusterNetworks, networkInForce } from "../../model/cluster-network.ts";
import { type EndpointSlice, endpointSlices, SERVICE_LABEL, SLICE_MANAGER_LABEL } from "../../model/endpoint-slice.ts";
import { type Endpoints, endpoints } from "../../model/endpoints.ts";
import { type Draft, type Kind, keyOf, type StoredObject } from "../../model/meta.ts";
import { namespaces } from "../../model/namespace.ts";
import { nodes } from "../../model/node.ts";
import { servers } from "../../model/server.ts";
import { type Service, selectsPods, services } from "../../model/service.ts";
import { sameJson, type Tx } from "../../store/transaction.ts";
import { type Controller, wakes } from "../controller.ts";

const NAMESPACE = "default";
const NAME = "kubernetes";
const KEY = `${NAMESPACE}/${NAME}`;
const PORT = "https";
/** Its slices are not made of its Endpoints: both are made of the servers. */
const SKIP_MIRROR = { "endpointslice.kubernetes.io/skip-mirror": "true" };
const MANAGER = "api-service.styrmann.dev";
const OF_KUBERNETES = { component: "apiserver", provider: "kubernetes" };

interface Place {
  readonly address: string;
  readonly port: number;
}

const woken = (object: StoredObject) =>
  object.metadata.namespace === NAMESPACE && object.metadata.name === NAME ? [KEY] : [];

export const apiServiceController: Controller = {
  name: "api-service",
  wakers: [
    wakes(servers, () => [KEY]),
    wakes(namespaces, ({ metadata }) => (metadata.name === NAMESPACE ? [KEY] : [])),
    wakes(services, woken),
    wakes(endpoints, woken),
    wakes(endpointSlices, ({ metadata }) => (metadata.labels?.[SERVICE_LABEL] === NAME ? [KEY] : [])),
    // A server that calls itself by a name is found at the address of its node.
    wakes(nodes, ({ metadata }, reader) => (reader.get(servers, metadata.name) === undefined ? [] : [KEY])),
  ],
  reconcile(_key, tx) {
    const places = placesOf(tx);
    const [first] = places;
    if (!first || tx.get(namespaces, NAMESPACE)?.status.phase !== "Active") return undefined;
    const present = tx.get(services, KEY);
    // Somebody has one of his own by that name: two controllers would undo each other's work for ever.
    if (present && (selectsPods(present) || present.spec.type === "ExternalName")) return undefined;
    writeService(tx, first.port);
    writePlaces(tx, places);
    return undefined;
  },
};

/** Sorted. Servers that only their own host reaches are none for others. */
function placesOf(tx: Tx): readonly Place[] {
  const found = tx.list(servers).flatMap(({ metadata, spec }) => {
    const url = URL.canParse(spec.url) ? new URL(spec.url) : undefined;
    const address = url && (outside(url.hostname) ?? addressOfNode(tx, metadata.name));
    return address === undefined || url === undefined ? [] : [{ address, port: Number(url.port) || 443 }];
  });
  const byText = Map.groupBy(found, ({ address, port }) => `${address}:${port}`);
  return [...byText.keys()].sort().flatMap((text) => byText.get(text)?.[0] ?? []);
}

function outside(host: string): string | undefined {
  return isIPv4(host) && !host.startsWith("127.") && host !== "0.0.0.0" ? host : undefined;
}

function addressOfNode(tx: Tx, name: string): string | undefined {
  const addresses = tx.get(nodes, name)?.status.addresses ?? [];
  const internal = addresses.find(({ type }) => type === "InternalIP")?.address;
  return internal === undefined ? undefined : outside(internal);
}

function writeService(tx: Tx, targetPort: number): void {
  const ports = [{ name: PORT, port: 443, protocol: "TCP" as const, targetPort }];
  const present = tx.get(services, KEY);
  if (present) {
    if (!sameJson(present.spec.ports, ports)) tx.update(services, { ...present, spec: { ...present.spec, ports } });
    return;
  }
  const clusterIP = freeAddress(tx);
  tx.create<Service>(services, {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: NAME, namespace: NAMESPACE, labels: OF_KUBERNETES },
    spec: {
      ...{ type: "ClusterIP", sessionAffinity: "None", internalTrafficPolicy: "Cluster" },
      ...{ ipFamilies: ["IPv4"], ipFamilyPolicy: "SingleStack" },
      ...{ clusterIP, clusterIPs: [clusterIP], ports },
    },
    status: { loadBalancer: {} },
  });
}

/** The first of the range, or the next that somebody has not taken before there was a Service `kubernetes`. */
function freeAddress(tx: Tx): string {
  const { serviceRange } = networkInForce(tx.get(clusterNetworks, CLUSTER_NETWORK_NAME));
  const { first = 0, last = 0 } = parseSubnet(serviceRange) ?? {};
  for (let value = first + 1; value < last; value++) {
    const address = formatAddress(value);
    if (tx.by(services, "clusterIP", address).length === 0) return address;
  }
  throw new Error(`no address of ${serviceRange} is free for the Service ${KEY}`);
}

/** One subset, and one slice, for each port at which servers answer. */
function writePlaces(tx: Tx, places: readonly Place[]): void {
  const byPort = [...Map.groupBy(places, ({ port }) => port)];
  const subsets = byPort.map(([port, members]) => ({
    addresses: members.map(({ address }) => ({ ip: address })),
    ports: [{ name: PORT, port, protocol: "TCP" }],
  }));
  put<Endpoints>(tx, endpoints, {
    apiVersion: "v1",
    kind: "Endpoints",
    metadata: { name: NAME, namespace: NAMESPACE, labels: SKIP_MIRROR },
    subsets,
  });
  const wanted = byPort.map(([port, members], at) => sliceOf(port, members, at === 0 ? NAME : `${NAME}-${port}`));
  const names = new Set(wanted.map(({ metadata }) => metadata.name));
  for (const old of tx.by(endpointSlices, "service", KEY))
    if (old.metadata.labels?.[SLICE_MANAGER_LABEL] === MANAGER && !names.has(old.metadata.name))
      tx.remove(endpointSlices, keyOf(old));
  for (const slice of wanted) put(tx, endpointSlices, slice);
}

function sliceOf(port: number, members: readonly Place[], name: string): Draft<EndpointSlice> {
  return {
    apiVersion: endpointSlices.apiVersion,
    kind: "EndpointSlice",
    metadata: { name, namespace: NAMESPACE, labels: { [SERVICE_LABEL]: NAME, [SLICE_MANAGER_LABEL]: MANAGER } },
    addressType: "IPv4",
    endpoints: members.map(({ address }) => ({ addresses: [address], conditions: { ready: true } })),
    ports: [{ name: PORT, port, protocol: "TCP" }],
  };
}

/** As it is wanted, whatever somebody made of it; labels of others stay. */
function put<T extends StoredObject>(tx: Tx, kind: Kind<T>, wanted: Draft<T>): void {
  const present = tx.get(kind, keyOf(wanted));
  if (!present) {
    tx.create(kind, wanted);
    return;
  }
  const { labels, annotations, ...metadata } = present.metadata;
  const merged = {
    ...metadata,
    labels: { ...labels, ...wanted.metadata.labels },
    ...(annotations ? { annotations } : {}),
  };
  const after = { ...wanted, metadata: merged } as unknown as T;
  if (!sameJson(after, present)) tx.update(kind, after);
}
