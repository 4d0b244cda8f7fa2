import type { ReservedPorts } from "./host-ports.ts";
import type { PortKey } from "./port-claims.ts";

export interface OwnPorts {
  readonly apiPort: number;
  readonly httpPort: number;
  readonly httpsPort: number;
}

const VXLAN = 8472;
const WIREGUARD = 51_820;

/** What the cluster and its people need to take a port back: never a Service's, also while nobody listens there for a moment. */
export function reservedPorts({ apiPort, httpPort, httpsPort }: OwnPorts): ReservedPorts {
  const always: readonly (readonly [PortKey, string])[] = [
    ["tcp/22", "it is kept for sshd"],
    ["tcp/53", "names are answered there"],
    ["udp/53", "names are answered there"],
    [`tcp/${apiPort}`, "it is the control plane's"],
    [`udp/${WIREGUARD}`, "it is WireGuard's"],
  ];
  return ({ self, cluster }) =>
    new Map([
      ...always,
      [`udp/${cluster?.vxlanPort ?? VXLAN}`, "it is VXLAN's"],
      ...(self?.isWayIn === true
        ? ([httpPort, httpsPort].map((port) => [`tcp/${port}`, "it is the way in's"]) as [PortKey, string][])
        : []),
    ]);
}
