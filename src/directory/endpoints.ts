import { type EndpointSlice, endpointSlices, SERVICE_LABEL, type SliceEndpoint } from "../model/endpoint-slice.ts";
import type { EndpointEntry, EndpointsEntry, Protocol } from "../model/network.ts";
import { type Node, nodes } from "../model/node.ts";
import { NODE_LABEL } from "../model/well-known.ts";
import type { Change, Reader } from "../store/transaction.ts";
import type { EntrySink, EntrySource } from "./entry-source.ts";

/** Kubernetes' EndpointSlices: the controller's, and those that people write. */
export function endpointsSource(): EntrySource {
  return new SliceSource();
}

class SliceSource implements EntrySource {
  readonly name = "endpoints";
  readonly kinds = [endpointSlices, nodes];
  /** Node → keys of slices that leave its endpoints' zone to be read from the node. */
  readonly #zoneless = new Map<string, Set<string>>();
  readonly #nodesOf = new Map<string, readonly string[]>();

  begin(reader: Reader, sink: EntrySink): void {
    for (const slice of reader.list(endpointSlices)) this.#put(`${keyOf(slice)}`, slice, reader, sink);
  }

  changed(changes: readonly Change[], reader: Reader, sink: EntrySink): void {
    const touched = new Set<string>();
    for (const { kind, key, object, before } of changes) {
      if (kind.name === endpointSlices.name) touched.add(key);
      else if (zoneOf(object as Node) !== zoneOf(before as Node | undefined)) {
        for (const slice of this.#zoneless.get(key) ?? []) touched.add(slice);
      }
    }
    for (const key of touched) this.#put(key, reader.get(endpointSlices, key), reader, sink);
  }

  #put(key: string, slice: EndpointSlice | undefined, reader: Reader, sink: EntrySink): void {
    const entry = slice && endpointsEntry(slice, (node) => zoneOf(reader.get(nodes, node)));
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
