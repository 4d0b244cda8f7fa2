import { dialectOf, KUBERNETES } from "../model/dialect.ts";
import { endpointSlices } from "../model/endpoint-slice.ts";
import { keyOf } from "../model/meta.ts";
import { isReady, isTerminal, type Pod, pods } from "../model/pod.ts";
import { isOnItsNetworkOnly } from "../model/pod-network-need.ts";
import { type Service, services } from "../model/service.ts";
import type { ServicePortRow, ServiceRow } from "../model/service-row.ts";
import { ANNOTATION } from "../model/well-known.ts";
import type { Clock } from "../seams/clock.ts";
import type { Store } from "../store/store.ts";
import { slices } from "./slices.ts";

/** Services of Kubernetes, and the service ports of other dialects' pods. In slices. */
export async function listServices(store: Store, clock: Clock): Promise<readonly ServiceRow[]> {
  const slice = slices(clock);
  const rows: ServiceRow[] = [];
  for (const service of store.scan(services)) {
    rows.push(serviceRow(store, service));
    await slice();
  }
  const byWorkload = new Map<string, ServiceRow>();
  for (const pod of store.scan(pods)) {
    addPod(byWorkload, pod);
    await slice();
  }
  return [...rows, ...byWorkload.values()];
}

/** One for each row, and the same for as long as it is there. */
export function serviceId({ dialect, namespace, name }: ServiceRow): string {
  return `${dialect} ${namespace}/${name}`;
}

function serviceRow(store: Store, service: Service): ServiceRow {
  const { metadata, spec } = service;
  const endpoints = store.by(endpointSlices, "service", keyOf(service)).flatMap((each) => each.endpoints);
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

/** Pods of one workload are the endpoints of its service ports. */
function addPod(rows: Map<string, ServiceRow>, pod: Pod): void {
  const dialect = dialectOf(pod);
  const ports = servicePortsOf(pod);
  if (dialect === KUBERNETES || ports.length === 0 || isTerminal(pod)) return;
  const { namespace = "", name, annotations = {} } = pod.metadata;
  const workload = annotations[ANNOTATION.workload] ?? name;
  const id = `${dialect} ${namespace}/${workload}`;
  const before = rows.get(id);
  const isServing = isReady(pod) && pod.metadata.deletionTimestamp === undefined && !isOnItsNetworkOnly(pod);
  rows.set(id, {
    ...{ dialect, namespace, name: workload, type: "servicePort", addresses: [] },
    ports: before ? union(before.ports, ports) : ports,
    ready: (before?.ready ?? 0) + (isServing ? 1 : 0),
    endpoints: (before?.endpoints ?? 0) + 1,
  });
}

function servicePortsOf({ spec }: Pod): readonly ServicePortRow[] {
  return (spec.containers ?? []).flatMap(({ ports = [] }) =>
    ports.flatMap(({ name, protocol = "TCP", servicePort }) =>
      servicePort ? [{ ...(name ? { name } : {}), protocol, nodePort: servicePort }] : [],
    ),
  );
}

/** While a workload changes, its old pods and its new ones may have different ports. */
function union(a: readonly ServicePortRow[], b: readonly ServicePortRow[]): readonly ServicePortRow[] {
  const isThere = ({ nodePort, protocol }: ServicePortRow) =>
    a.some((other) => other.nodePort === nodePort && other.protocol === protocol);
  return [...a, ...b.filter((port) => !isThere(port))].sort((x, y) => (x.nodePort ?? 0) - (y.nodePort ?? 0));
}
