import { CLUSTER_SETTINGS_NAME, clusterSettings, settingsInForce } from "../model/cluster-settings.ts";
import { dialectOf } from "../model/dialect.ts";
import type { PublishedService, Publisher } from "../model/discovery.ts";
import { EndpointShares, leftOutWords, termsOf } from "../model/endpoint-shares.ts";
import { type EndpointSlice, endpointSlices } from "../model/endpoint-slice.ts";
import { keyOf } from "../model/meta.ts";
import { isReady, isTerminal, type Pod, pods } from "../model/pod.ts";
import { isOnItsNetworkOnly } from "../model/pod-network-need.ts";
import { type Service, services } from "../model/service.ts";
import type { ServiceRow } from "../model/service-row.ts";
import { ANNOTATION } from "../model/well-known.ts";
import type { Clock } from "../seams/clock.ts";
import type { Store } from "../store/store.ts";
import { slices } from "./slices.ts";

/** Services of Kubernetes, and service ports of other dialects. In slices. */
export async function listServices(
  store: Store,
  clock: Clock,
  publishers: readonly Publisher[] = [],
): Promise<readonly ServiceRow[]> {
  const slice = slices(clock);
  const rows = [...(await kubernetesRows(store, slice))];
  const published = publishedRows(store, publishers);
  if (published.size === 0) return rows;
  for (const pod of store.scan(pods)) {
    const id = workloadId(pod);
    const row = published.get(id);
    if (row !== undefined && !isTerminal(pod)) published.set(id, withPod(row, pod));
    await slice();
  }
  return [...rows, ...published.values()];
}

/** Slices of no Service come after all others: what is left out of Services is decided without them. */
export async function kubernetesRows(
  store: Store,
  slice: () => Promise<void> | undefined,
): Promise<readonly ServiceRow[]> {
  const rows: ServiceRow[] = [];
  const shares = new EndpointShares();
  for (const service of store.scan(services)) {
    const found = store.by(endpointSlices, "service", keyOf(service));
    for (const each of found) shares.claim(keyOf(each), each, () => termsOf(service));
    rows.push(serviceRow(service, found));
    await slice();
  }
  shares.settle(settingsInForce(store.get(clusterSettings, CLUSTER_SETTINGS_NAME)).serviceEndpointsPerNamespace);
  return rows.map((row) => {
    const leftOut = shares.leftOut(`${row.namespace}/${row.name}`);
    return leftOut === undefined ? row : { ...row, leftOut: leftOutWords(leftOut) };
  });
}

/** One for each row, and the same for as long as it is there. */
export function serviceId({ dialect, namespace, name }: ServiceRow): string {
  return idOf(dialect, namespace, name);
}

function idOf(dialect: string, namespace: string, name: string): string {
  return `${dialect} ${namespace}/${name}`;
}

function serviceRow(service: Service, found: readonly EndpointSlice[]): ServiceRow {
  const { metadata, spec } = service;
  const endpoints = found.flatMap((each) => each.endpoints);
  return {
    ...{ dialect: "kubernetes", namespace: metadata.namespace ?? "", name: metadata.name },
    type: spec.type ?? "ClusterIP",
    addresses: spec.type === "ExternalName" ? [spec.externalName ?? ""] : spec.clusterIP ? [spec.clusterIP] : [],
    ports: (spec.ports ?? []).map(({ name, protocol = "TCP", port, nodePort }) => ({
      ...(name ? { name } : {}),
      ...{ protocol, port },
      ...(nodePort ? { nodePort } : {}),
    })),
    ready: endpoints.filter(({ conditions }) => conditions?.ready !== false).length,
    endpoints: endpoints.length,
    createdAt: metadata.creationTimestamp,
  };
}

/** Whether a pod is there for them or not. */
function publishedRows(store: Store, publishers: readonly Publisher[]): Map<string, ServiceRow> {
  const rows = new Map<string, ServiceRow>();
  for (const publisher of publishers)
    for (const object of store.scan(publisher.kind))
      for (const service of publisher.tell(object).services) {
        const { namespace = "" } = object.metadata;
        const dialect = service.id.slice(0, service.id.indexOf(":"));
        if (service.ports.length > 0)
          rows.set(idOf(dialect, namespace, service.name), rowOf(service, dialect, namespace));
      }
  return rows;
}

/** At every node, of the workload that the pod is of. */
export function servicePortsOf(store: Store, publishers: readonly Publisher[], pod: Pod): readonly number[] {
  return (
    publishedRows(store, publishers)
      .get(workloadId(pod))
      ?.ports.flatMap(({ nodePort }) => nodePort ?? []) ?? []
  );
}

function rowOf({ name, ports, since }: PublishedService, dialect: string, namespace: string): ServiceRow {
  return {
    ...{ dialect, namespace, name, type: "servicePort", addresses: [] },
    ports: ports.map(({ name: port, protocol, servicePort }) => ({
      ...(port ? { name: port } : {}),
      ...{ protocol: protocol.toUpperCase(), nodePort: servicePort },
    })),
    ...{ ready: 0, endpoints: 0 },
    ...(since === undefined ? {} : { createdAt: since }),
  };
}

function workloadId(pod: Pod): string {
  const { namespace = "", name, annotations = {} } = pod.metadata;
  return idOf(dialectOf(pod), namespace, annotations[ANNOTATION.workload] ?? name);
}

function withPod(row: ServiceRow, pod: Pod): ServiceRow {
  const isServing = isReady(pod) && pod.metadata.deletionTimestamp === undefined && !isOnItsNetworkOnly(pod);
  return { ...row, ready: row.ready + (isServing ? 1 : 0), endpoints: row.endpoints + 1 };
}
