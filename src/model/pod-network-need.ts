import { type Container, driverOf, type Pod, type PodSpec } from "./pod.ts";
import { publishedPorts } from "./published-ports.ts";

/** By this name people ask for the pod network; a host's own Docker network may be called otherwise (`styr up --network`). */
export const POD_NETWORK = "styrmann";

/** The Docker network that a container is on instead of the pod network: to name that is to ask for no other. `own`: what the host calls it. */
export function otherNetwork({ docker }: Pick<Container, "docker">, own = POD_NETWORK): string | undefined {
  const said = docker?.parameters?.findLast(isNetworkParameter);
  const network = said?.value ?? docker?.network;
  return network === POD_NETWORK || network === own ? undefined : network;
}

/** `docker run --network`, of which `--net` is an old name. */
export function isNetworkParameter({ key }: { readonly key: string }): boolean {
  return /^-{0,2}net(?:work)?$/.test(key);
}

/** Whether its address is given by a Docker network of the user's. */
export function isOnOtherNetwork(pod: PodNeeds, own?: string): boolean {
  const containers = [...(pod.spec.initContainers ?? []), ...pod.spec.containers];
  return !isOnHostNetwork(pod) && containers.some((container) => otherNetwork(container, own) !== undefined);
}

/** Whether the pod's containers see the host's network: asked for, or none of them is a container. */
export function isOnHostNetwork({ spec }: PodNeeds): boolean {
  return spec.hostNetwork === true || ![...(spec.initContainers ?? []), ...spec.containers].some(isContained);
}

/** Whether this container cannot be started where the network of the node's pods is not there. A network of the user's is its own. */
export function needsPodNetwork(pod: PodNeeds, container: Container): boolean {
  return isContained(container) && otherNetwork(container) === undefined && !isOnHostNetwork(pod);
}

interface PodNeeds {
  readonly spec: Pick<PodSpec, "hostNetwork" | "initContainers" | "containers">;
}

function isContained(container: Container): boolean {
  return ["docker", "fake"].includes(driverOf(container));
}

/** Whether nobody but those of a Docker network of the user's reaches it: it has its address there, and its host publishes no port of it. */
export function isOnItsNetworkOnly(pod: Pod): boolean {
  const { podIP, networkAddress } = pod.status;
  return podIP === undefined && networkAddress !== undefined && publishedPorts(pod).length === 0;
}
