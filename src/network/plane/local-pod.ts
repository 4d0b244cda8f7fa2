import type { Pod } from "../../model/pod.ts";
import { publishedPorts } from "../../model/published-ports.ts";
import type { LocalPod } from "./network-state.ts";

export function localPodOf(pod: Pod, address: string): LocalPod {
  const { metadata, spec } = pod;
  const published = publishedPorts(pod);
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
    ...(published.length === 0 ? {} : { published }),
  };
}
