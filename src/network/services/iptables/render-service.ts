/** One Service as iptables chains: its endpoints by the statistic match, its clients' by the recent match. */
import type { BasePlan } from "../firewall.ts";
import { chainOf, shortHashOf, titleOf } from "../names.ts";
import { hairpinsOf, isSameChoice, type PortPlan, type ServicePlan, type Target } from "../plan-service.ts";
import type { Chain, Element, Piece } from "../ruleset.ts";
import { MARK } from "./render-base.ts";

interface Writing {
  readonly short: string;
  readonly chains: Map<string, Chain>;
  readonly elements: Element[];
}

export function servicePieceOf(plan: ServicePlan, base: BasePlan, short: string): Piece {
  const piece: Writing = { short, chains: new Map(), elements: [] };
  for (const port of plan.ports) {
    writeInside(port, piece);
    if (port.nodePort !== undefined) writeOutside(port, port.nodePort, base, piece);
    writeHairpin(port, piece);
  }
  return { chains: piece.chains, sets: new Map(), elements: piece.elements };
}

function writeInside(port: PortPlan, piece: Writing): void {
  const name = `${piece.short}-${shortHashOf(port.id)}`;
  const isServed = port.inside.length > 0;
  if (isServed) piece.chains.set(`nat/${name}`, chainOf(port.id, balance(port, port.inside, piece)));
  for (const address of port.addresses) {
    const key = `-d ${address}/32 ${toPort(port.protocol, port.port)}`;
    const container = isServed ? `nat/${piece.short}-addresses` : `filter/${piece.short}-refused`;
    piece.elements.push({ container, key, value: isServed ? name : `${piece.short}-refuse`, title: titleOf(port.id) });
  }
}

function writeOutside(port: PortPlan, nodePort: number, base: BasePlan, piece: Writing): void {
  const name = `${piece.short}-${shortHashOf(port.id)}-n`;
  const rules = outsideRules(port, base, piece);
  const key = toPort(port.protocol, nodePort);
  const title = titleOf(port.id);
  if (rules.length > 0) {
    piece.chains.set(`nat/${name}`, chainOf(`${port.id} node port ${nodePort}`, rules));
    piece.elements.push({ container: `nat/${piece.short}-ports`, key, value: name, title });
  }
  if (port.outside.length === 0)
    piece.elements.push({
      container: `filter/${piece.short}-no-ports`,
      key,
      value: `${piece.short}-refuse`,
      title,
    });
}

/** The same decisions as in nftables: nft/render-service.ts. */
function outsideRules(port: PortPlan, { ownRange }: BasePlan, piece: Writing): readonly string[] {
  if (!port.isOutsideLocal) {
    if (port.outside.length === 0) return [];
    const notOwn = ownRange === undefined ? "" : `! -s ${ownRange} `;
    const same = `-j ${piece.short}-${shortHashOf(port.id)}`;
    return [`${notOwn}${MARK}`, ...(isSameChoice(port) ? [same] : balance(port, port.outside, piece))];
  }
  const inside = `-j ${piece.short}-${shortHashOf(port.id)}`;
  const fromHost = "-m addrtype --src-type LOCAL";
  const own = ownRange === undefined ? [] : [`-s ${ownRange} ${inside}`];
  return [
    ...(port.inside.length > 0 ? [...own, `${fromHost} ${MARK}`, `${fromHost} ${inside}`] : []),
    ...balance(port, port.outside, piece),
  ];
}

function balance(port: PortPlan, targets: readonly Target[], piece: Writing): readonly string[] {
  if (port.affinitySeconds !== undefined) return stickyRules(port, port.affinitySeconds, targets, piece);
  return targets.map(
    (target, at) =>
      `-p ${port.protocol} ${chance(at, targets)}-j DNAT --to-destination ${target.address}:${target.port}`,
  );
}

function stickyRules(port: PortPlan, seconds: number, targets: readonly Target[], piece: Writing): readonly string[] {
  const chains = targets.map((target) => {
    const chain = `${piece.short}-${shortHashOf(port.id, target.address, String(target.port))}`;
    const rules = [
      `-m recent --set --name ${chain} --rsource`,
      `-p ${port.protocol} -j DNAT --to-destination ${target.address}:${target.port}`,
    ];
    piece.chains.set(`nat/${chain}`, chainOf(`${port.id} at ${target.address}`, rules));
    return chain;
  });
  return [
    ...chains.map((chain) => `-m recent --rcheck --seconds ${seconds} --reap --name ${chain} --rsource -j ${chain}`),
    ...chains.map((chain, at) => `${chance(at, chains)}-j ${chain}`),
  ];
}

/** Rules are tried one after the other: the first of n takes one in n, the next one of those that are left. */
function chance(at: number, of: readonly unknown[]): string {
  const left = of.length - at;
  return left === 1 ? "" : `-m statistic --mode random --probability ${(1 / left).toFixed(10)} `;
}

function writeHairpin(port: PortPlan, { short, elements }: Writing): void {
  for (const address of hairpinsOf(port)) {
    const key = `-s ${address}/32 -d ${address}/32`;
    elements.push({ container: `nat/${short}-hairpin`, key, value: `${short}-take`, title: titleOf(port.id) });
  }
}

/** As iptables-save prints it, so that what is there is recognised. */
function toPort(protocol: string, port: number): string {
  return `-p ${protocol} -m ${protocol} --dport ${port}`;
}
