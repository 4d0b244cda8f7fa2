/** Where a backend's requests can go, from what the node was told. Pure. */
import type { EndpointsEntry, ServiceEntry } from "../../model/network.ts";
import { endpointTier, NEVER } from "../plane/endpoint-tier.ts";
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
  const found = new Map<string, { address: string; port: number; tier: number }>();
  for (const slice of state.endpointsOf(service)) {
    const number = portOf(entry, slice, port);
    if (number === undefined || number < 1 || number > 65_535) continue;
    for (const endpoint of slice.endpoints) {
      const { address } = endpoint;
      if (!ADDRESS.test(address)) continue;
      const tier = endpointTier(endpoint, entry?.publishNotReady === true, state.lostNodes);
      // An endpoint may stand in two slices while it moves between them: the better word counts.
      const before = found.get(`${address}:${number}`)?.tier ?? tier;
      found.set(`${address}:${number}`, { address, port: number, tier: Math.min(tier, before) });
    }
  }
  const all = [...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, each]) => each);
  const best = Math.min(...all.map(({ tier }) => tier));
  return all.map(({ address, port: number, tier }) => ({
    ...{ address, port: number },
    state: best < NEVER && tier === best ? "on" : "off",
  }));
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
