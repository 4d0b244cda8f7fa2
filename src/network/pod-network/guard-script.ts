/**
 * What the pod network takes from nobody but hosts of the cluster, as rules of nftables: `net-` chains of the network's table. Packets
 * of VXLAN are believed, so only hosts may send them, and what comes out of one has the address of another host's pod. Pure.
 */
import { createHash } from "node:crypto";
import { parseSubnet } from "../../lib/subnet.ts";
import type { NetNames } from "./names.ts";
import { ECHO_PORT, echoAddressOf, REFUSED_PORT } from "./passages.ts";
import { VNI } from "./tunnels.ts";

export interface GuardWish {
  readonly own: string;
  /** Other nodes' pod ranges. */
  readonly ranges: readonly string[];
  /** Addresses of all nodes. */
  readonly hosts: readonly string[];
  readonly vxlanPort: number;
  /** What is not encrypted is not another node's. */
  readonly isEncrypted: boolean;
}

export const GUARD_PREFIX = "net-";

/** Before connections are looked up: a packet that is dropped leaves no trace by which others would be let through. */
const FIRST = -300;
const EARLY = -20;
/** Behind iptables and firewalld (0 to 10), and whoever comes a little later. */
const LAST = 200;

/** The chain that says, by a mark, what all of them are. */
export const MARKED_CHAIN = "net-arriving";

export interface GuardScript {
  readonly text: string;
  readonly mark: string;
}

/** Replaces all of it in one transaction. `table`: `ip styrmann`. */
export function guardScript(table: string, names: NetNames, wish: GuardWish): GuardScript {
  const text = linesOf(table, names, wish).join("\n");
  const mark = `styr ${createHash("sha256").update(text).digest("hex").slice(0, 16)}`;
  return { text: `${text}\nadd rule ${table} ${MARKED_CHAIN} accept comment "${mark}"`, mark };
}

function linesOf(table: string, names: NetNames, wish: GuardWish): readonly string[] {
  const hosts = [...new Set(wish.hosts.filter((host) => parseSubnet(`${host}/32`)))].sort();
  const chains = guardChains(names, wish);
  return [
    `add set ${table} net-hosts { type ipv4_addr; comment "hosts of the cluster"; }`,
    `add set ${table} net-ranges { type ipv4_addr; flags interval; comment "pods of other nodes"; }`,
    ...chains.map(({ name, hook }) => `add chain ${table} ${name} { type filter hook ${hook}; policy accept; }`),
    `flush set ${table} net-hosts`,
    `flush set ${table} net-ranges`,
    ...chains.map(({ name }) => `flush chain ${table} ${name}`),
    ...elements(table, "net-hosts", hosts),
    ...elements(table, "net-ranges", disjoint(wish.ranges)),
    ...chains.flatMap(({ name, rules }) => rules.map((rule) => `add rule ${table} ${name} ${rule}`)),
  ];
}

function guardChains({ bridge, vxlan, wireguard }: NetNames, { own, vxlanPort, isEncrypted }: GuardWish) {
  // Other programs' VXLAN, at the same port, is theirs: ours is known by its number in the header (RFC 7348, after UDP's 8 bytes).
  const ours = `udp dport ${vxlanPort} @th,96,24 ${VNI}`;
  const echo = `ip saddr @net-ranges ip daddr ${echoAddressOf(own)}`;
  const arriving = [
    `iifname "${bridge}" ip saddr != ${own} counter drop`,
    `iifname "${bridge}" accept`,
    `iifname "lo" accept`,
    `ip saddr ${own} counter drop`,
    `iifname "${vxlan}" ip saddr != @net-ranges counter drop`,
    ...(isEncrypted ? [`iifname != "${wireguard}" ip saddr @net-ranges counter drop`] : []),
  ];
  return [
    { name: MARKED_CHAIN, hook: `prerouting priority ${FIRST}`, rules: arriving },
    { name: "net-to-host", hook: `input priority ${EARLY}`, rules: [`${ours} ip saddr != @net-hosts counter drop`] },
    {
      name: "net-passing",
      hook: `forward priority ${EARLY}`,
      // From pods and other containers, which would be taken for this host once they are translated.
      rules: [`${ours} ip daddr @net-hosts ip saddr != @net-hosts counter drop`],
    },
    {
      name: "net-passed",
      hook: `forward priority ${LAST}`,
      // What comes here was let pass by everybody: other nodes ask whether it is (passages.ts).
      rules: [
        `${echo} tcp dport ${ECHO_PORT} reject with icmp type prot-unreachable`,
        `${echo} tcp dport ${REFUSED_PORT} reject with tcp reset`,
      ],
    },
  ];
}

function elements(table: string, set: string, all: readonly string[]): readonly string[] {
  return all.length === 0 ? [] : [`add element ${table} ${set} { ${all.join(", ")} }`];
}

/** nft refuses ranges that overlap: the wider one is both. Of two subnets that overlap one is within the other, so the last one kept decides. */
function disjoint(ranges: readonly string[]): readonly string[] {
  const parsed = ranges.flatMap((text) => parseSubnet(text) ?? []);
  const inOrder = parsed.sort((a, b) => a.first - b.first || a.prefixLength - b.prefixLength);
  let last = -1;
  return inOrder.flatMap((range) => {
    if (range.first <= last) return [];
    last = range.last;
    return [range.text];
  });
}
