/** Names of what one network has on a host, and addresses that every node computes alike from a pod range. Pure. */
import { createHash } from "node:crypto";
import { deviceName } from "../../lib/device-name.ts";
import { formatAddress, parseSubnet } from "../../lib/subnet.ts";

export interface NetNames {
  /** The pods' bridge, as Docker makes it. */
  readonly bridge: string;
  readonly vxlan: string;
  readonly wireguard: string;
  /** Number of a routing protocol: whose a route is (rtnetlink(7), RTPROT_*; from 5 on they are users'). */
  readonly protocol: string;
  /** Chains of iptables. */
  readonly forward: string;
  readonly egress: string;
  readonly nat: string;
  readonly mangle: string;
}

const USUAL_PROTOCOL = 142;
/** The usual name's is none of these. */
const [FIRST_PROTOCOL, PROTOCOLS] = [143, 100];
/** iptables: XT_EXTENSION_MAXNAMELEN less its zero. */
const MOST_CHAIN_CHARS = 28;

export function netNames(network: string): NetNames {
  const digest = createHash("sha256").update(network).digest();
  const usual = network === "styrmann";
  const chain = (suffix: string) => {
    const plain = `${network.replaceAll(/[^A-Za-z0-9_-]/g, "_")}-${suffix}`;
    return plain.length <= MOST_CHAIN_CHARS ? plain : `st-${digest.toString("hex").slice(0, 12)}-${suffix}`;
  };
  return {
    bridge: deviceName(network),
    vxlan: deviceName(network, "vxlan"),
    wireguard: deviceName(network, "wg"),
    protocol: String(usual ? USUAL_PROTOCOL : FIRST_PROTOCOL + ((digest[0] ?? 0) % PROTOCOLS)),
    forward: chain("forward"),
    egress: chain("egress"),
    nat: chain("nat"),
    mangle: chain("mss"),
  };
}

/** The address of a node's end of a tunnel: its range's own, which no pod has. */
export function tunnelAddressOf(podRange: string): string {
  return formatAddress(parseSubnet(podRange)?.first ?? 0);
}

/** Locally administered, and the same wherever it is computed: no node has to ask for another's. */
export function tunnelMacOf(podRange: string): string {
  const bytes = tunnelAddressOf(podRange).split(".").map(Number);
  return ["0e", "42", ...bytes.map((byte) => byte.toString(16).padStart(2, "0"))].join(":");
}
