import { type Container, driverOf, type PodSpec } from "./pod.ts";

/** Whether the pod's containers see the host's network: asked for, or none of them is a container. */
export function isOnHostNetwork({ spec }: PodNeeds): boolean {
  return spec.hostNetwork === true || ![...(spec.initContainers ?? []), ...spec.containers].some(isContained);
}

/** Whether this container cannot be started where the network of the node's pods is not there. A network of the user's is its own. */
export function needsPodNetwork(pod: PodNeeds, container: Container): boolean {
  return isContained(container) && container.docker?.network === undefined && !isOnHostNetwork(pod);
}

interface PodNeeds {
  readonly spec: Pick<PodSpec, "hostNetwork" | "initContainers" | "containers">;
}

function isContained(container: Container): boolean {
  return ["docker", "fake"].includes(driverOf(container));
}
