import { CLUSTER_SETTINGS_NAME, clusterSettings, settingsInForce } from "../model/cluster-settings.ts";
import { EndpointShares, type LeftOut, type ServiceTerms, termsOf } from "../model/endpoint-shares.ts";
import { type EndpointSlice, endpointSlices, SERVICE_LABEL, type SliceEndpoint } from "../model/endpoint-slice.ts";
import type { EndpointEntry, EndpointsEntry, Protocol } from "../model/network.ts";
import { type Node, nodes } from "../model/node.ts";
import { services } from "../model/service.ts";
import { NODE_LABEL } from "../model/well-known.ts";
import type { Change, Reader } from "../store/transaction.ts";
import type { EntrySink, EntrySource } from "./entry-source.ts";

/** Hears of Services of which nodes are not told all. */
export interface LeftOutListener {
  /** Everything is looked at anew. */
  begin(): void;
  /** Undefined: nodes are told all of it. */
  note(service: string, leftOut: LeftOut | undefined): void;
}

/** Kubernetes' EndpointSlices: the controller's, and those that people write; of each namespace as many as it may have. */
export function endpointsSource(listener?: LeftOutListener): EntrySource {
  return new SliceSource(listener);
}

class SliceSource implements EntrySource {
  readonly name = "endpoints";
  readonly kinds = [endpointSlices, nodes, services, clusterSettings] as unknown as EntrySource["kinds"];
  readonly #listener: LeftOutListener | undefined;
  readonly #shares = new EndpointShares();
  /** Node → keys of slices that leave its endpoints' zone to be read from the node. */
  readonly #zoneless = new Map<string, Set<string>>();
  readonly #nodesOf = new Map<string, readonly string[]>();

  constructor(listener: LeftOutListener | undefined) {
    this.#listener = listener;
  }

  begin(reader: Reader, sink: EntrySink): void {
    this.#listener?.begin();
    const all = reader.list(endpointSlices);
    for (const slice of all) this.#claim(keyOf(slice), slice, reader);
    this.#settle(reader);
    for (const slice of all) this.#put(keyOf(slice), slice, reader, sink);
  }

  changed(changes: readonly Change[], reader: Reader, sink: EntrySink): void {
    const touched = new Set<string>();
    for (const { kind, key, object, before } of changes) {
      if (kind.name === endpointSlices.name) {
        this.#claim(key, reader.get(endpointSlices, key), reader);
        touched.add(key);
      } else if (kind.name === services.name) this.#shares.setTerms(key, termsIn(key, reader));
      else if (kind.name === nodes.name && zoneOf(object as Node) !== zoneOf(before as Node | undefined))
        for (const slice of this.#zoneless.get(key) ?? []) touched.add(slice);
    }
    for (const key of this.#settle(reader)) touched.add(key);
    for (const key of touched) this.#put(key, reader.get(endpointSlices, key), reader, sink);
  }

  #claim(key: string, slice: EndpointSlice | undefined, reader: Reader): void {
    this.#shares.claim(key, slice, (service) => termsIn(service, reader));
  }

  /** Keys of slices that have come to be told, or have ceased to be. */
  #settle(reader: Reader): ReadonlySet<string> {
    const { serviceEndpointsPerNamespace } = settingsInForce(reader.get(clusterSettings, CLUSTER_SETTINGS_NAME));
    const turned = this.#shares.settle(serviceEndpointsPerNamespace);
    for (const service of turned.services) this.#listener?.note(service, this.#shares.leftOut(service));
    return turned.slices;
  }

  #put(key: string, slice: EndpointSlice | undefined, reader: Reader, sink: EntrySink): void {
    const isTold = slice !== undefined && !this.#shares.isLeftOut(key);
    const entry = isTold ? endpointsEntry(slice, (node) => zoneOf(reader.get(nodes, node))) : undefined;
    this.#link(key, entry === undefined ? [] : zonelessNodes(slice));
    if (entry === undefined) sink.remove("endpoints", key);
    else sink.put(entry);
  }

  #link(key: string, names: readonly string[]): void {
    for (const node of this.#nodesOf.get(key) ?? []) {
      const slices = this.#zoneless.get(node);
      slices?.delete(key);
      if (slices?.size === 0) this.#zoneless.delete(node);
    }
    if (names.length === 0) this.#nodesOf.delete(key);
    else this.#nodesOf.set(key, names);
    for (const node of names) {
      const slices = this.#zoneless.get(node) ?? new Set();
      this.#zoneless.set(node, slices.add(key));
    }
  }
}

/** Undefined for a slice that belongs to no Service, or whose addresses are of a kind that the pod network does not have. */
export function endpointsEntry(
  slice: EndpointSlice,
  zone: (node: string) => string | undefined,
): EndpointsEntry | undefined {
  const service = slice.metadata.labels?.[SERVICE_LABEL];
  if (service === undefined || slice.addressType !== "IPv4") return undefined;
  const { namespace = "default" } = slice.metadata;
  return {
    kind: "endpoints",
    id: keyOf(slice),
    service: `${namespace}/${service}`,
    // A port without a number is every port: nothing that could be translated to.
    ports: (slice.ports ?? []).flatMap(({ name = "", protocol = "TCP", port }) =>
      port === undefined || port === null ? [] : [{ name, protocol: protocol.toLowerCase() as Protocol, port }],
    ),
    endpoints: (slice.endpoints ?? []).flatMap((endpoint) => endpointEntry(endpoint, zone) ?? []),
  };
}

/** Of several addresses the first is the one to use; Kubernetes has the others for nothing yet. */
function endpointEntry(
  endpoint: SliceEndpoint,
  zoneOfNode: (node: string) => string | undefined,
): EndpointEntry | undefined {
  const { addresses, hostname, nodeName, targetRef } = endpoint;
  const [address] = addresses ?? [];
  if (address === undefined) return undefined;
  const zone = endpoint.zone ?? (nodeName === undefined ? undefined : zoneOfNode(nodeName));
  const isPod = targetRef?.kind === "Pod" && targetRef.name !== undefined;
  return {
    ...{ address, state: stateOf(endpoint) },
    ...(nodeName ? { node: nodeName } : {}),
    ...(zone ? { zone } : {}),
    ...(hostname ? { hostname } : {}),
    ...(isPod ? { pod: `${targetRef.namespace ?? "default"}/${targetRef.name}` } : {}),
    ...(targetRef?.uid ? { uid: targetRef.uid } : {}),
  };
}

function stateOf({ conditions }: SliceEndpoint): EndpointEntry["state"] {
  if (conditions?.ready !== false) return "ready";
  return conditions.terminating === true && conditions.serving !== false ? "draining" : "waiting";
}

function termsIn(key: string, reader: Reader): ServiceTerms | undefined {
  const service = reader.get(services, key);
  return service && termsOf(service);
}

function zonelessNodes(slice: EndpointSlice | undefined): readonly string[] {
  const endpoints = slice?.endpoints ?? [];
  return [...new Set(endpoints.flatMap(({ zone, nodeName }) => (zone === undefined && nodeName ? [nodeName] : [])))];
}

function zoneOf(node: Node | undefined): string | undefined {
  return node?.metadata.labels?.[NODE_LABEL.zone];
}

function keyOf({ metadata }: EndpointSlice): string {
  return `${metadata.namespace}/${metadata.name}`;
}
