import type { Pod } from "./pod.ts";

/** A port of the host that leads to one of the pod's. */
export interface PublishedPort {
  readonly containerPort: number;
  readonly hostPort: number;
  /** The one address of the host at which it is; absent: all. */
  readonly hostIP?: string;
  readonly protocol: "tcp" | "udp" | "sctp";
}

export function publishedPorts({ spec }: Pod): readonly PublishedPort[] {
  const ports = [...(spec.initContainers ?? []), ...spec.containers].flatMap((container) => container.ports ?? []);
  return ports.flatMap(({ containerPort, hostPort, hostIP, protocol = "TCP" }): readonly PublishedPort[] => {
    if (hostPort === undefined || hostPort === 0) return [];
    // Marathon's containerPort 0: the container listens on the number that the host port has.
    const listens = containerPort === 0 ? hostPort : containerPort;
    const at = hostIP === undefined || isAnyAddress(hostIP) ? {} : { hostIP };
    return [{ containerPort: listens, hostPort, ...at, protocol: protocol.toLowerCase() as PublishedPort["protocol"] }];
  });
}

/** Ways to say of a host port that it is at all addresses of the host. */
export function isAnyAddress(hostIP: string): boolean {
  return hostIP === "" || hostIP === "0.0.0.0" || hostIP === "::";
}
