/** Where a backend's requests can go, from what the node was told. Pure. */
import type { EndpointEntry, EndpointsEntry, ServiceEntry } from "../../model/network.ts";
import type { NetworkState } from "../plane/network-state.ts";

/** "on" takes requests; "off" takes none that are new. */
export interface BackendServer {
  readonly address: string;
  readonly port: number;
  readonly state: "on" | "off";
}

const ADDRESS = /^\d{1,3}(?:\.\d{1,3}){3}$/;

/** Sorted by address and port, each once. */
export function backendServers(state: NetworkState, service: string, port: string | number): readonly BackendServer[] {
  const entry = state.tables.service.get(service);
  const found = new Map<string, { endpoint: EndpointEntry; port: number }>();
  for (const slice of state.endpointsOf(service)) {
    const number = portOf(entry, slice, port);
    if (number === undefined || number < 1 || number > 65_535) continue;
    for (const endpoint of slice.endpoints)
      if (ADDRESS.test(endpoint.address)) found.set(`${endpoint.address}:${number}`, { endpoint, port: number });
  }
  const all = [...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, each]) => each);
  const rankOf = ({ endpoint }: { endpoint: EndpointEntry }) => rank(endpoint, state, entry?.publishNotReady === true);
  const best = Math.min(WORST, ...all.map(rankOf));
  return all.map((each) => ({
    ...{ address: each.endpoint.address, port: each.port },
    state: best < WORST && rankOf(each) === best ? "on" : "off",
  }));
}

const WORST = 4;

/** Ready ones first; those that are on their way out, or whose node is silent, only when there is nothing better. */
function rank({ state, node }: EndpointEntry, { lostNodes }: NetworkState, takesWaiting: boolean): number {
  const isLost = node !== undefined && lostNodes.has(node);
  if (state === "waiting" && !takesWaiting) return WORST;
  return (isLost ? 2 : 0) + (state === "draining" ? 1 : 0);
}

/** A port of a Service is named by its name or its number; its endpoints say the number where they answer. */
function portOf(service: ServiceEntry | undefined, slice: EndpointsEntry, wanted: string | number): number | undefined {
  const tcp = slice.ports.filter(({ protocol }) => protocol === "tcp");
  const declared = service?.ports.find(({ name, port, protocol }) => {
    return protocol === "tcp" && (typeof wanted === "number" ? port === wanted : name === wanted);
  });
  const name = declared?.name ?? (typeof wanted === "string" ? wanted : undefined);
  const named = tcp.find((each) => each.name === name);
  if (named) return named.port;
  return wanted === "" || (service === undefined && tcp.length === 1) ? tcp[0]?.port : undefined;
}
