import type { Pod } from "../../model/pod.ts";
import type { LocalPod } from "./network-state.ts";

export function localPodOf({ metadata, spec }: Pod, address: string): LocalPod {
  const ports = spec.containers.flatMap((container) => container.ports ?? []);
  const named = ports.flatMap(({ name, containerPort }) =>
    name === undefined || containerPort === undefined ? [] : [[name, containerPort] as const],
  );
  return {
    uid: metadata.uid,
    namespace: metadata.namespace ?? "default",
    name: metadata.name,
    address,
    labels: metadata.labels ?? {},
    ports: Object.fromEntries(named),
  };
}
