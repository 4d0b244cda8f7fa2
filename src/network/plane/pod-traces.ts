import type { NetworkState } from "./network-state.ts";

/** Whether new connections are sent to this pod of this node, as far as this node was told. */
export function isLedTo(state: NetworkState, uid: string): boolean {
  // Names of other dialects' pods stand in one entry per pod (src/directory/discovered-entries.ts).
  if (state.tables.names.has(uid)) return true;
  for (const service of state.servicesOnNode(state.nodeName)) {
    for (const { endpoints } of state.endpointsOf(service))
      if (endpoints.some((endpoint) => endpoint.uid === uid && endpoint.state === "ready")) return true;
  }
  return false;
}
