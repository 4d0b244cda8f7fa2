import type { EndpointEntry } from "./network.ts";
import { isReady, type Pod } from "./pod.ts";

/** A pod whose end was asked for takes no more, ready as it may be; one that is not ready takes nothing. */
export function endpointState(pod: Pod): EndpointEntry["state"] {
  if (!isReady(pod)) return "waiting";
  return pod.metadata.deletionTimestamp === undefined ? "ready" : "draining";
}
