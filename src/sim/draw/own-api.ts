/** Requests of our own API (docs/api.md), as `styr` sends them. */
import type { ClusterSettingsSpec } from "../../model/cluster-settings.ts";
import type { SimRequest } from "../contract.ts";

const API = "/styr/v1";

export function cordon(node: string): SimRequest {
  return { method: "PUT", path: `${API}/nodes/${node}/cordon` };
}

/** Also ends a drain. */
export function uncordon(node: string): SimRequest {
  return { method: "DELETE", path: `${API}/nodes/${node}/cordon` };
}

export function drain(
  node: string,
  options: { readonly deadlineMs?: number; readonly force?: boolean } = {},
): SimRequest {
  return { method: "PUT", path: `${API}/nodes/${node}/drain`, body: options };
}

export function releaseBrake(nodes?: readonly string[]): SimRequest {
  return { method: "POST", path: `${API}/brake/release`, body: nodes === undefined ? {} : { nodes } };
}

/** `null` puts a setting back to its default. */
export function changeSettings(
  settings: { readonly [K in keyof ClusterSettingsSpec]?: ClusterSettingsSpec[K] | null },
): SimRequest {
  return { method: "PATCH", path: `${API}/settings`, body: settings };
}

export function rebalance(apply: { readonly budget?: number; readonly atOnce?: number }): SimRequest {
  return { method: "PUT", path: `${API}/rebalance`, body: apply };
}

export function stopRebalance(): SimRequest {
  return { method: "DELETE", path: `${API}/rebalance` };
}
