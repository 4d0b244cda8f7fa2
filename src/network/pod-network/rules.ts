/**
 * The few rules of iptables that pods of several hosts need beside Docker's: its FORWARD drops by default, and its masquerade
 * would hide who sends. Chains of our own, each replaced whole in one transaction. Pure.
 */
import { createHash } from "node:crypto";
import { overlaps, parseSubnet } from "../../lib/subnet.ts";
import type { NetNames } from "./names.ts";
import { endsChain, everyonesTarget, type ShownTable } from "./shown-table.ts";

export interface RulesWish {
  readonly own: string;
  /** The cluster's range, and those nodes' ranges that are not part of it. */
  readonly ranges: readonly string[];
  /** Devices through which less fits than hosts' links take. */
  readonly tunnels: readonly string[];
  /** Devices by which this host reaches other hosts, tunnels among them. */
  readonly uplinks?: readonly string[];
  /** Bridges of Docker's other networks on this host, without those that it closed to everybody: bridgesBeside. */
  readonly beside?: readonly string[];
}

export type Table = "filter" | "nat" | "mangle";

export interface Chain {
  readonly table: Table;
  readonly name: string;
  /** Chains that may lead to it: the first of them to which packets come. */
  readonly from: readonly string[];
  /** Without `-A NAME`. The first says, by a mark, what the others are. */
  readonly rules: readonly string[];
  readonly mark: string;
  /** After what others have said of a packet, not before. */
  readonly isLast?: true;
}

/** Docker's chain that keeps its networks apart (until 28, and from then on), and that of networks which were asked to be closed. */
const APART = ["DOCKER-ISOLATION-STAGE-2", "DOCKER-BRIDGE"];
const CLOSED = "DOCKER-INTERNAL";

/** The bridges of Docker's other networks, as its own rules name them. Sorted. */
export function bridgesBeside({ bridge }: NetNames, { chains }: ShownTable): readonly string[] {
  const devices = (from: readonly string[], pattern: RegExp) =>
    from.flatMap((chain) => chains.get(chain) ?? []).flatMap((rule) => pattern.exec(rule)?.[1] ?? []);
  const closed = new Set([bridge, ...devices([CLOSED], /-[io] (\S+)/)]);
  const named = devices(APART, /^-o (\S+) -j (?:DROP|DOCKER)$/);
  return [...new Set(named.filter((device) => !closed.has(device)))].sort();
}

/** The cluster's range first, then others' that are outside of it, sorted. */
export function rangesOf(cluster: string, nodes: readonly string[]): readonly string[] {
  const whole = parseSubnet(cluster);
  const outside = nodes.filter((range) => {
    const one = parseSubnet(range);
    return one !== undefined && !(whole && overlaps(one, whole) && one.prefixLength >= whole.prefixLength);
  });
  return [cluster, ...new Set(outside.toSorted())];
}

export function chainsOf(names: NetNames, wish: RulesWish): readonly Chain[] {
  return [
    // The user's own rules in DOCKER-USER are looked at before.
    chain("filter", names.forward, ["DOCKER-USER", "FORWARD"], forwardRules(names, wish)),
    // After Docker's own chains, which keep its networks apart.
    { ...chain("filter", names.egress, ["FORWARD"], [`-s ${wish.own} -j ACCEPT`]), isLast: true },
    chain("nat", names.nat, ["POSTROUTING"], natRules(wish)),
    chain("mangle", names.mangle, ["FORWARD"], wish.tunnels.map(clampRule)),
  ];
}

function chain(table: Table, name: string, from: readonly string[], rules: readonly string[]): Chain {
  const mark = `styr ${createHash("sha256").update(rules.join("\n")).digest("hex").slice(0, 16)}`;
  return { table, name, from, mark, rules: [`-m comment --comment "${mark}"`, ...rules] };
}

function forwardRules({ bridge }: NetNames, wish: RulesWish): readonly string[] {
  const { own, ranges, uplinks = [], beside = [] } = wish;
  const translated = "-m conntrack --ctstate DNAT";
  return [
    ...ranges.flatMap((range) => [`-s ${range} -d ${own} -j ACCEPT`, `-s ${own} -d ${range} -j ACCEPT`]),
    `-d ${own} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT`,
    // To service addresses and node ports, with their answers, by the ways of pods and hosts alone: other networks of Docker's stay apart.
    ...[bridge, ...uplinks].flatMap((device) => [
      `-o ${device} ${translated} -j ACCEPT`,
      `-i ${device} ${translated} --ctdir REPLY -j ACCEPT`,
    ]),
    // What a unit has started with `docker run` finds the pods of its own host, as it finds those of all others; they do not find it.
    ...beside.flatMap((device) => [
      `-d ${own} -i ${device} -o ${bridge} -j ACCEPT`,
      `-s ${own} -i ${bridge} -o ${device} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT`,
    ]),
  ];
}

/** Between pods nobody is translated; to everybody else pods are this host. */
function natRules({ own, ranges }: RulesWish): readonly string[] {
  return [
    // Left to Docker, which translates a container that reaches itself by a published port.
    `-s ${own} -d ${own} -j RETURN`,
    ...ranges.map((range) => `-s ${own} -d ${range} -j ACCEPT`),
    `-s ${own} -d 224.0.0.0/4 -j RETURN`,
    `-s ${own} -j MASQUERADE`,
  ];
}

function clampRule(device: string): string {
  return `-o ${device} -p tcp -m tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu`;
}

/** For `iptables-restore --noflush`: makes the chain, or empties it, and fills it. */
export function restoreText({ table, name, rules }: Chain): string {
  return `*${table}\n:${name} - [0:0]\n${rules.map((rule) => `-A ${name} ${rule}\n`).join("")}COMMIT\n`;
}

/** Whether a chain's rules, as `iptables -S` shows them without `-A NAME`, are these. */
export function isWritten({ rules, mark }: Chain, shown: readonly string[]): boolean {
  return shown.length === rules.length && shown[0]?.includes(`"${mark}"`) === true;
}

/** Whether these rules of a chain lead to it: a jump behind the end is none. */
export function isLed({ name, isLast }: Chain, shown: readonly string[]): boolean {
  const at = shown.indexOf(`-j ${name}`);
  // Whoever says of everything that it is dropped means that; who only returns has nothing to say of it.
  const end = isLast ? -1 : shown.findIndex((rule) => everyonesTarget(rule) === "RETURN");
  return at >= 0 && (end < 0 || at < end);
}

/** Where a jump is to be put, from 1 on: in Docker's chain for users after their own rules; what is last, before what leaves nothing over; else first. */
export function jumpPosition(parent: string, shown: readonly string[], isLast = false): number {
  if (parent !== "DOCKER-USER" && !isLast) return 1;
  const end = shown.findIndex(isLast ? endsChain : (rule) => everyonesTarget(rule) === "RETURN");
  return (end < 0 ? shown.length : end) + 1;
}
