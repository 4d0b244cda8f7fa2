import type { Exposure } from "../exposure.ts";
import { isTerminal, pods } from "../pod.ts";
import type { WorkloadReader } from "../workload.ts";
import { exposedPod, workloadKey, workloadKeysOf } from "./exposure-routes.ts";

/** Whether copies run, and none of them says where it answers. */
export function portIsUnsaid(reader: WorkloadReader, { workload, port }: Exposure["spec"]): boolean {
  if (port !== undefined) return false;
  const key = workloadKey(workload);
  const running = reader
    .list(pods, workload.namespace ?? workload.dialect)
    .filter((pod) => pod.status.phase === "Running" && !isTerminal(pod) && workloadKeysOf(pod).includes(key));
  return running.length > 0 && running.every((pod) => exposedPod(pod, undefined) === undefined);
}
