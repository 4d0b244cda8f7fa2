import type { NetworkState } from "./network-state.ts";

/** Whether new connections are sent to this pod of this node, as far as this node was told. */
export function isLedTo(state: NetworkState, uid: string): boolean {
  // Names of other dialects' pods stand in one entry per pod (src/directory/discovered-entries.ts).
  return state.tables.names.has(uid) || state.isReadyHere(uid);
}
