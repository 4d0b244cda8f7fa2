/**
 * The chains that the kernel enters, for all Services: the maps that lead to a Service's own chain, who has to take this host's
 * address, and the refusal of what nobody answers.
 */
import { type BasePlan, MASQUERADE_MARK } from "../firewall.ts";
import { chainOf } from "../names.ts";
import type { Piece } from "../ruleset.ts";
import { UNANSWERED, UNANSWERED_DEFINITION } from "./unanswered.ts";

/** Before Docker's translations (-100), and before its masquerading (100): the first translation of a connection counts. */
const TRANSLATE_FIRST = -105;
const MASQUERADE_FIRST = 95;
/** Before filters that drop: a refusal is an answer, a drop is a client that hangs. */
const REFUSE_FIRST = -10;

const MARKED = `meta mark & ${MASQUERADE_MARK} == ${MASQUERADE_MARK}`;
export const MARK = `meta mark set meta mark | ${MASQUERADE_MARK}`;

export function basePiece(base: BasePlan, forgetsUnanswered: boolean): Piece {
  const hook = (type: string, at: string, priority: number) =>
    `type ${type} hook ${at} priority ${priority}; policy accept;`;
  const jump = ["jump svc-services"];
  return {
    sets: new Map([
      ["svc-addresses", "map { type ipv4_addr . inet_proto . inet_service : verdict; }"],
      ["svc-node-ports", "map { type inet_proto . inet_service : verdict; }"],
      ["svc-refused", "set { type ipv4_addr . inet_proto . inet_service; }"],
      ["svc-refused-ports", "set { type inet_proto . inet_service; }"],
      ["svc-hairpin", "set { type ipv4_addr . ipv4_addr; }"],
      ...(forgetsUnanswered ? [[UNANSWERED, UNANSWERED_DEFINITION] as const] : []),
    ]),
    chains: new Map([
      ["svc-services", chainOf("to a service", servicesRules(base))],
      [
        "svc-refuse",
        chainOf("nobody answers there", [
          "meta l4proto tcp reject with tcp reset",
          "reject with icmp port-unreachable",
        ]),
      ],
      ["svc-prerouting", chainOf("from pods and from outside", jump, hook("nat", "prerouting", TRANSLATE_FIRST))],
      ["svc-output", chainOf("from this host", jump, hook("nat", "output", TRANSLATE_FIRST))],
      [
        "svc-postrouting",
        chainOf("who takes this host's address", masqueradeRules(base), hook("nat", "postrouting", MASQUERADE_FIRST)),
      ],
      ["svc-forward", chainOf("refusals", refusalRules(base), hook("filter", "forward", REFUSE_FIRST))],
      ["svc-from-host", chainOf("refusals to this host", refusalRules(base), hook("filter", "output", REFUSE_FIRST))],
      ["svc-to-host", chainOf("refusals at node ports", [refusedPorts(base)], hook("filter", "input", REFUSE_FIRST))],
    ]),
    elements: [],
  };
}

/**
 * Not at 127.0.0.1: packets with that address do not leave the host (route_localnet would open it to neighbours). Nor at the address
 * that this host has among its pods: names are answered there.
 */
function atTheNode({ gateway }: BasePlan): string {
  const aside = gateway === undefined ? "127.0.0.0/8" : `{ 127.0.0.0/8, ${gateway} }`;
  return `fib daddr type local ip daddr != ${aside}`;
}

function refusedPorts(base: BasePlan): string {
  return `ct state new ${atTheNode(base)} meta l4proto . th dport @svc-refused-ports goto svc-refuse`;
}

function servicesRules(base: BasePlan): readonly string[] {
  const { podRange, serviceRange } = base;
  // Whoever is no pod has an address that pods of other hosts would answer by another way.
  const strangers = podRange !== undefined && serviceRange !== undefined;
  return [
    ...(strangers ? [`ip daddr ${serviceRange} ip saddr != ${podRange} ${MARK}`] : []),
    "ip daddr . meta l4proto . th dport vmap @svc-addresses",
    `${atTheNode(base)} meta l4proto . th dport vmap @svc-node-ports`,
  ];
}

function masqueradeRules({ podRange, ownRange, gateway, isBridgeFiltered }: BasePlan): readonly string[] {
  const take = gateway === undefined ? "masquerade" : `snat to ${gateway}`;
  return [
    // A pod that reaches itself through its service would see a connection from its own address.
    `ct status dnat ip saddr . ip daddr @svc-hairpin ${take}`,
    ...(isBridgeFiltered || ownRange === undefined
      ? []
      : [`ct status dnat ip saddr ${ownRange} ip daddr ${ownRange} ${take}`]),
    ...(ownRange === undefined ? [] : [`ip daddr ${ownRange} return`]),
    `${MARKED} fib daddr type local return`,
    ...(podRange === undefined ? [] : [`${MARKED} ct status dnat ip daddr ${podRange} ${take}`]),
    // What was marked and is no Service's in the end keeps its sender.
    `${MARKED} ct status dnat masquerade`,
  ];
}

function refusalRules({ serviceRange, foreign }: BasePlan): readonly string[] {
  const others = foreign.ranges.map(({ range }) => range).join(", ");
  const but = others === "" ? "" : ` ip daddr != { ${others} }`;
  const isOurs = serviceRange !== undefined && foreign.whole === undefined;
  return [
    // Nearly all packets: none of them is for a service address any more.
    "ct state established,related accept",
    ...(isOurs ? [`ip daddr ${serviceRange}${but} goto svc-refuse`] : []),
    "ip daddr . meta l4proto . th dport @svc-refused goto svc-refuse",
  ];
}
