/**
 * Keeps the EndpointSlices of every Service: of the pods that its selector picks, or of the Endpoints that somebody wrote for a Service
 * without one. Slices that somebody made by hand carry another manager's name (or none) and are left alone. What nodes are told of
 * endpoints is made from slices alone (src/directory).
 */
import { type EndpointSlice, endpointSlices, SERVICE_LABEL, SLICE_MANAGER_LABEL } from "../../model/endpoint-slice.ts";
import { endpoints } from "../../model/endpoints.ts";
import { keyOf, ownedBy, type StoredObject } from "../../model/meta.ts";
import { namespaces } from "../../model/namespace.ts";
import { type Node, nodes } from "../../model/node.ts";
import { pods } from "../../model/pod.ts";
import { isHeadless, type Service, selectsPods, services } from "../../model/service.ts";
import { NODE_LABEL } from "../../model/well-known.ts";
import type { Random } from "../../seams/random.ts";
import { type Change, type Reader, sameJson, type Tx } from "../../store/transaction.ts";
import { type Controller, wakes } from "../controller.ts";
import { isMirrored, mirroredEndpoints } from "./mirrored-endpoints.ts";
import { packSlices } from "./pack-slices.ts";
import { podEndpoint } from "./pod-endpoint.ts";
import { podsOf, servicesPicking, servicesTouched } from "./service-pods.ts";
import type { WantedEndpoint } from "./wanted-endpoint.ts";

const OF_PODS = "endpointslice-controller.k8s.io";
const OF_ENDPOINTS = "endpointslicemirroring-controller.k8s.io";
const HEADLESS_LABEL = "service.kubernetes.io/headless";
const SUFFIX_LETTERS = 5;

/** What the slices of a Service are made of. */
interface Source {
  readonly manager: typeof OF_PODS | typeof OF_ENDPOINTS;
  readonly owner: StoredObject;
  readonly wanted: readonly WantedEndpoint[];
}

export const endpointSlicesController: Controller = {
  name: "endpoint-slices",
  wakers: [
    wakes(services, (service) => [keyOf(service)]),
    wakes(pods, servicesTouched),
    wakes(endpointSlices, ({ metadata }) => {
      const service = isOurs(metadata.labels) ? metadata.labels?.[SERVICE_LABEL] : undefined;
      return service === undefined ? [] : [`${metadata.namespace}/${service}`];
    }),
    wakes(endpoints, (object, reader) => {
      const service = reader.get(services, keyOf(object));
      return service === undefined || selectsPods(service) ? [] : [keyOf(object)];
    }),
    wakes(nodes, servicesOfZone),
  ],
  reconcile(key, tx, { random }) {
    const present = tx.by(endpointSlices, "service", key).filter(({ metadata }) => isOurs(metadata.labels));
    const service = tx.get(services, key);
    const source = service && sourceOf(tx, service);
    if (!service || !source) {
      for (const slice of present) tx.remove(endpointSlices, keyOf(slice));
      return undefined;
    }
    if (isEnding(tx, service)) return undefined;
    write(tx, service, source, present, random);
    return undefined;
  },
};

function isOurs(labels: EndpointSlice["metadata"]["labels"]): boolean {
  const manager = labels?.[SLICE_MANAGER_LABEL];
  return manager === OF_PODS || manager === OF_ENDPOINTS;
}

/** A node that is said to be in another zone takes its endpoints with it. At the start every Service is looked at anyway. */
function servicesOfZone(node: Node, reader: Reader, change: Change): readonly string[] {
  const zone = (object: StoredObject | undefined) => object?.metadata.labels?.[NODE_LABEL.zone];
  if (change.type !== "modified" || zone(change.before) === zone(change.object)) return [];
  return reader.by(pods, "node", node.metadata.name).flatMap((pod) => servicesPicking(pod, reader));
}

function sourceOf(tx: Tx, service: Service): Source | undefined {
  if (service.spec.type === "ExternalName") return undefined;
  if (selectsPods(service)) return { manager: OF_PODS, owner: service, wanted: fromPods(tx, service) };
  const written = tx.get(endpoints, keyOf(service));
  if (!written || !isMirrored(written)) return undefined;
  return { manager: OF_ENDPOINTS, owner: written, wanted: mirroredEndpoints(written) };
}

function fromPods(tx: Tx, service: Service): readonly WantedEndpoint[] {
  const zones = new Map<string, string | undefined>();
  const zoneOf = (nodeName: string) => {
    if (!zones.has(nodeName)) zones.set(nodeName, tx.get(nodes, nodeName)?.metadata.labels?.[NODE_LABEL.zone]);
    return zones.get(nodeName);
  };
  return podsOf(tx, service).flatMap((pod) => {
    const { nodeName } = pod.spec;
    return podEndpoint(service, pod, nodeName === undefined ? undefined : zoneOf(nodeName)) ?? [];
  });
}

function isEnding(tx: Tx, { metadata }: Service): boolean {
  return tx.get(namespaces, metadata.namespace ?? "")?.status.phase === "Terminating";
}

function write(tx: Tx, service: Service, source: Source, present: readonly EndpointSlice[], random: Random): void {
  const { name, namespace = "" } = service.metadata;
  const labels = labelsOf(service, source);
  const packed = packSlices(source.wanted, present);
  const used = new Set(packed.map(({ slice }) => slice?.metadata.name));
  for (const slice of present) if (!used.has(slice.metadata.name)) tx.remove(endpointSlices, keyOf(slice));
  for (const { slice, ports, endpoints } of packed) {
    const ownerReferences = [ownedBy(source.owner)];
    if (slice === undefined) {
      const metadata = { generateName: `${name}-`, name: freeName(tx, service, random), namespace };
      tx.create<EndpointSlice>(endpointSlices, {
        apiVersion: endpointSlices.apiVersion,
        kind: "EndpointSlice",
        metadata: { ...metadata, labels, ownerReferences },
        addressType: "IPv4",
        endpoints,
        ports,
      });
    } else if (!isAsWanted(slice, { labels, ownerReferences, ports, endpoints }))
      tx.update(endpointSlices, {
        ...slice,
        metadata: { ...slice.metadata, labels, ownerReferences },
        ports,
        endpoints,
      });
  }
}

function isAsWanted(
  { metadata, ports, endpoints }: EndpointSlice,
  wanted: Pick<EndpointSlice, "ports" | "endpoints"> & Pick<EndpointSlice["metadata"], "labels" | "ownerReferences">,
): boolean {
  const { labels, ownerReferences } = metadata;
  return sameJson({ labels, ownerReferences, ports, endpoints }, wanted);
}

/** The Service's own labels, and whose and of what kind it is. */
function labelsOf(service: Service, { manager, owner }: Source): Readonly<Record<string, string>> {
  return {
    ...owner.metadata.labels,
    ...(isHeadless(service) ? { [HEADLESS_LABEL]: "" } : {}),
    [SERVICE_LABEL]: service.metadata.name,
    [SLICE_MANAGER_LABEL]: manager,
  };
}

function freeName(tx: Tx, { metadata: { name, namespace } }: Service, random: Random): string {
  for (;;) {
    const candidate = `${name}-${random.suffix(SUFFIX_LETTERS)}`;
    if (!tx.get(endpointSlices, `${namespace}/${candidate}`)) return candidate;
  }
}
