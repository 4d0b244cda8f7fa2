/**
 * How endpoints are laid into slices of 100. Pure, and stable: an endpoint stays in the slice in which it is, so that the change of one pod
 * is the change of one slice, and every node is told no more than that. Source of the rules: k8s.io/endpointslice reconciler.go.
 */
import type { EndpointSlice, SliceEndpoint, SlicePort } from "../../model/endpoint-slice.ts";
import { sameJson } from "../../store/transaction.ts";
import type { WantedEndpoint } from "./wanted-endpoint.ts";

const MOST_ENDPOINTS = 100;
/** Slices are drawn together when so many in each would do with one slice fewer; below that, what went may well come back. */
const THIN = MOST_ENDPOINTS / 2;

export interface SliceContent {
  readonly ports: readonly SlicePort[];
  readonly endpoints: readonly SliceEndpoint[];
}

/** `content` of a slice that is there (`slice`), or of one to be made. */
export interface PackedSlice extends SliceContent {
  readonly slice?: EndpointSlice;
}

interface Filling {
  readonly slice?: EndpointSlice;
  endpoints: SliceEndpoint[];
  isChanged: boolean;
}

/** What stands in every slice from now on; those of `present` that are not among them go. Without endpoints there is one empty slice. */
export function packSlices(
  wanted: readonly WantedEndpoint[],
  present: readonly EndpointSlice[],
): readonly PackedSlice[] {
  const groups = Map.groupBy(wanted, ({ ports }) => JSON.stringify(ports));
  const used = Map.groupBy(present, ({ ports = [] }) => JSON.stringify(ports.map(inOrder)));
  const packed = [...groups].flatMap(([id, members]) => packGroup(members, used.get(id) ?? []));
  const all = packed.length > 0 ? packed : [{ ports: [], endpoints: [] }];
  return withSlices(all, present);
}

/** Fields in the order in which the planner writes them, whoever wrote them. */
function inOrder({ name = "", port = 0, protocol = "TCP", appProtocol }: SlicePort): SlicePort {
  return { name, port, protocol, ...(appProtocol === undefined ? {} : { appProtocol }) };
}

function packGroup(members: readonly WantedEndpoint[], present: readonly EndpointSlice[]): readonly PackedSlice[] {
  const missing = new Map(members.map(({ endpoint }) => [identityOf(endpoint), endpoint]));
  const fillings = present.map((slice) => keep(slice, missing));
  place([...missing.values()], fillings);
  drawTogether(fillings, members.length);
  const ports = members[0]?.ports ?? [];
  return fillings
    .filter(({ endpoints }) => endpoints.length > 0)
    .map(({ slice, endpoints }) => ({ ...(slice ? { slice } : {}), ports, endpoints }));
}

/** A pod is itself whatever its address; what is no pod is its address. */
function identityOf({ targetRef, addresses }: SliceEndpoint): string {
  return targetRef?.uid ?? addresses.join();
}

/** Takes those that the slice has out of `missing`. */
function keep(slice: EndpointSlice, missing: Map<string, SliceEndpoint>): Filling {
  const endpoints: SliceEndpoint[] = [];
  for (const old of slice.endpoints.slice(0, MOST_ENDPOINTS)) {
    const now = missing.get(identityOf(old));
    if (now !== undefined) endpoints.push(now);
    missing.delete(identityOf(old));
  }
  return { slice, endpoints, isChanged: !sameJson(endpoints, slice.endpoints) };
}

/** New ones go into slices that change anyway, then into the fullest that has room, then into new ones. */
function place(fresh: readonly SliceEndpoint[], fillings: Filling[]): void {
  const left = [...fresh];
  const byUse = fillings.toSorted(
    (a, b) => Number(b.isChanged) - Number(a.isChanged) || b.endpoints.length - a.endpoints.length,
  );
  for (const filling of byUse) {
    const taken = left.splice(0, MOST_ENDPOINTS - filling.endpoints.length);
    if (taken.length > 0) filling.isChanged = true;
    filling.endpoints.push(...taken);
  }
  while (left.length > 0) fillings.push({ endpoints: left.splice(0, MOST_ENDPOINTS), isChanged: true });
}

/** Empties the thinnest slices into the others, as long as those stay half empty. */
function drawTogether(fillings: Filling[], count: number): void {
  const filled = fillings
    .filter(({ endpoints }) => endpoints.length > 0)
    .sort((a, b) => a.endpoints.length - b.endpoints.length);
  while (filled.length > 1 && count <= (filled.length - 1) * THIN) {
    const moved = filled.shift()?.endpoints.splice(0) ?? [];
    place(moved, filled);
  }
}

/** What is to be made takes the slices that would go: changing one is less than removing it and making another. */
function withSlices(packed: readonly PackedSlice[], present: readonly EndpointSlice[]): readonly PackedSlice[] {
  const taken = new Set(packed.map(({ slice }) => slice?.metadata.name));
  const spare = present.filter(({ metadata }) => !taken.has(metadata.name));
  return packed.map((each) => {
    const slice = each.slice ?? spare.shift();
    return slice === undefined ? each : { ...each, slice };
  });
}
