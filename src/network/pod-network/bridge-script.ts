/**
 * What the pods' bridge takes from its ports, as a table of nftables of its own (`table bridge styrmann`): IPv4 and ARP without VLAN tags,
 * which other rules would not see, and from each pod its own address alone, by which NetworkPolicies know it. Pure.
 */
import { createHash } from "node:crypto";

/** One end of a pod's cable, as the host has it. */
export interface PodPort {
  /** Number of the host's device; the kernel gives none twice. */
  readonly index: number;
  readonly mac: string;
  readonly address: string;
}

export interface BridgeWish {
  readonly bridge: string;
  readonly own: string;
  /** The host's own among the pods' addresses. */
  readonly gateway: string;
  /** All devices of the bridge. */
  readonly indexes: readonly number[];
  readonly pods: readonly PodPort[];
  /** Devices of which it is not known whose they are, though it was asked for often enough. */
  readonly strange?: readonly number[];
  /** Whether the kernel can say of which bridge a device is (CONFIG_NFT_BRIDGE_META). */
  readonly knowsBridge: boolean;
}

export const FRAMES_CHAIN = "net-frames";

export interface BridgeScript {
  readonly text: string;
  readonly mark: string;
}

/** Replaces all of it in one transaction. `table`: its name alone. */
export function bridgeScript(table: string, wish: BridgeWish): BridgeScript {
  const at = `bridge ${table}`;
  const lines = [
    `add table ${at}`,
    ...setsOf(wish).flatMap(({ name, type, elements }) => [
      `add set ${at} ${name} { type ${type}; }`,
      `flush set ${at} ${name}`,
      ...(elements.length === 0 ? [] : [`add element ${at} ${name} { ${elements.join(", ")} }`]),
    ]),
    `add chain ${at} ${FRAMES_CHAIN} { type filter hook prerouting priority -300; policy accept; }`,
    `flush chain ${at} ${FRAMES_CHAIN}`,
    ...rulesOf(wish).map((rule) => `add rule ${at} ${FRAMES_CHAIN} ${rule}`),
  ];
  const mark = `styr ${createHash("sha256").update(lines.join("\n")).digest("hex").slice(0, 16)}`;
  return { text: [...lines, `add rule ${at} ${FRAMES_CHAIN} accept comment "${mark}"`].join("\n"), mark };
}

function setsOf({ gateway, indexes, pods, strange = [] }: BridgeWish) {
  const once = (values: readonly (string | number)[]) => [...new Set(values)].sort();
  return [
    { name: "net-bridge", type: "iface_index", elements: once(indexes) },
    { name: "net-known", type: "iface_index", elements: once(pods.map(({ index }) => index)) },
    { name: "net-strange", type: "iface_index", elements: once(strange) },
    {
      name: "net-pods",
      type: "iface_index . ether_addr . ipv4_addr",
      elements: once(pods.map(({ index, mac, address }) => `${index} . ${mac} . ${address}`)),
    },
    { name: "net-macs", type: "ether_addr", elements: once(pods.map(({ mac }) => mac)) },
    { name: "net-taken", type: "ipv4_addr", elements: once([gateway, ...pods.map(({ address }) => address)]) },
  ];
}

function rulesOf({ bridge, own, knowsBridge }: BridgeWish): readonly string[] {
  return [
    knowsBridge ? `meta ibrname != "${bridge}" accept` : "iif != @net-bridge accept",
    "ether type != { ip, arp } counter drop",
    "iif . ether saddr . ip saddr @net-pods accept",
    "iif . ether saddr . arp saddr ip @net-pods accept",
    "iif @net-known counter drop",
    "iif @net-strange counter drop",
    // Of a container that has just come it is not known yet which it is: it may be anybody but those that are known.
    "ether saddr @net-macs counter drop",
    "ip saddr @net-taken counter drop",
    "arp saddr ip @net-taken counter drop",
    `ip saddr != ${own} counter drop`,
    `arp saddr ip != ${own} counter drop`,
  ];
}
