/** One Service as nftables chains and elements of the maps of all. A change of its endpoints changes one chain. */
import type { Protocol } from "../../../model/network.ts";
import type { BasePlan } from "../firewall.ts";
import { chainOf, hashOf, titleOf } from "../names.ts";
import { hairpinsOf, isSameChoice, type PortPlan, type ServicePlan, type Target } from "../plan-service.ts";
import type { Chain, Element, Piece } from "../ruleset.ts";
import { MARK } from "./render-base.ts";
import { UNANSWERED } from "./unanswered.ts";

interface Writing {
  /** What is said of a connection before its endpoint is chosen. */
  readonly first: string;
  readonly chains: Map<string, Chain>;
  readonly sets: Map<string, string>;
  readonly elements: Element[];
}

export function servicePiece(plan: ServicePlan, base: BasePlan, forgetsUnanswered: boolean): Piece {
  const first = forgetsUnanswered ? `ct timeout set "${UNANSWERED}" ` : "";
  const piece: Writing = { first, chains: new Map(), sets: new Map(), elements: [] };
  for (const port of plan.ports) {
    writeInside(port, piece);
    if (port.nodePort !== undefined) writeOutside(port, port.nodePort, base, piece);
    writeHairpin(port, piece);
  }
  return piece;
}

function writeInside(port: PortPlan, piece: Writing): void {
  const name = `svc-${hashOf(port.id)}`;
  const title = titleOf(port.id);
  const isServed = port.inside.length > 0;
  if (isServed) piece.chains.set(name, chainOf(port.id, balance(port, port.inside, piece)));
  for (const address of port.addresses) {
    const container = isServed ? "svc-addresses" : "svc-refused";
    const key = `${address} . ${port.protocol} . ${port.port}`;
    piece.elements.push({ container, key, value: isServed ? name : "", title });
  }
}

function writeOutside(port: PortPlan, nodePort: number, base: BasePlan, piece: Writing): void {
  const name = `svc-${hashOf(port.id)}-node`;
  const rules = outsideRules(port, base, piece);
  const key = `${port.protocol} . ${nodePort}`;
  const title = titleOf(port.id);
  if (rules.length > 0) {
    piece.chains.set(name, chainOf(`${port.id} node port ${nodePort}`, rules));
    piece.elements.push({ container: "svc-node-ports", key, value: name, title });
  }
  // What no rule of the chain takes is refused, too: with "local", connections from outside while this node has no endpoint.
  if (port.outside.length === 0) piece.elements.push({ container: "svc-refused-ports", key, value: "", title });
}

function outsideRules(port: PortPlan, { ownRange }: BasePlan, piece: Writing): readonly string[] {
  const notOwn = ownRange === undefined ? "" : `ip saddr != ${ownRange} `;
  if (!port.isOutsideLocal) {
    if (port.outside.length === 0) return [];
    const isSame = isSameChoice(port);
    return [`${notOwn}${MARK}`, ...(isSame ? [`goto svc-${hashOf(port.id)}`] : balance(port, port.outside, piece))];
  }
  // Kubernetes: what this node's own pods and the node itself send is not from outside, and goes everywhere.
  const inside = `goto svc-${hashOf(port.id)}`;
  const own = ownRange === undefined ? [] : [`ip saddr ${ownRange} ${inside}`];
  return [
    ...(port.inside.length > 0 ? [...own, `fib saddr type local ${MARK} ${inside}`] : []),
    ...(port.outside.length > 0 ? balance(port, port.outside, piece) : []),
  ];
}

/** Rules that choose one of `targets` for a new connection, each as likely as the others. */
function balance(port: PortPlan, targets: readonly Target[], piece: Writing): readonly string[] {
  if (port.affinitySeconds !== undefined) return stickyRules(port, port.affinitySeconds, targets, piece);
  const [first, ...others] = targets;
  if (first === undefined) return [];
  if (others.length === 0) return [translate(port.protocol, first, piece)];
  const choices = targets.map(({ address, port: to }, at) => `${at} : ${address} . ${to}`).join(", ");
  return [`${begin(port.protocol, piece)}dnat ip to numgen random mod ${targets.length} map { ${choices} }`];
}

/**
 * The kernel takes 32 bytes for each client that a set may have, when the set is made: 2 MiB at nft's own 65,535, for each endpoint and
 * port. A node's own pods are few hundreds; from outside come more.
 */
const CLIENTS_INSIDE = 1023;
const CLIENTS_OUTSIDE = 16_383;

/** Each endpoint remembers its clients in a set of its own: that another one comes or goes moves nobody. */
function stickyRules(port: PortPlan, seconds: number, targets: readonly Target[], piece: Writing): readonly string[] {
  const chains = targets.map((target) => {
    const hash = hashOf(port.id, target.address, String(target.port));
    const size = port.nodePort === undefined ? CLIENTS_INSIDE : CLIENTS_OUTSIDE;
    // The size is in its name: what a set of one name is never changes.
    const [chain, clients] = [`svc-${hash}`, `svc-${hash}-clients-${size}`];
    piece.sets.set(clients, `set { type ipv4_addr; size ${size}; flags dynamic,timeout; }`);
    // Two rules: when the set is full, the client is not remembered, but served.
    const rules = [`update @${clients} { ip saddr timeout ${seconds}s }`, translate(port.protocol, target, piece)];
    piece.chains.set(chain, chainOf(`${port.id} at ${target.address}`, rules));
    return { chain, clients };
  });
  const choices = chains.map(({ chain }, at) => `${at} : goto ${chain}`).join(", ");
  return [
    ...chains.map(({ chain, clients }) => `ip saddr @${clients} goto ${chain}`),
    `numgen random mod ${chains.length} vmap { ${choices} }`,
  ];
}

function translate(protocol: Protocol, { address, port }: Target, piece: Writing): string {
  return `${begin(protocol, piece)}dnat to ${address}:${port}`;
}

function begin(protocol: Protocol, { first }: Writing): string {
  return `meta l4proto ${protocol} ${protocol === "tcp" ? first : ""}`;
}

function writeHairpin(port: PortPlan, piece: Writing): void {
  for (const address of hairpinsOf(port))
    piece.elements.push({
      container: "svc-hairpin",
      key: `${address} . ${address}`,
      value: "",
      title: titleOf(port.id),
    });
}
