/** The chains that the built-in ones jump to, for all Services. Names are `table/chain`. */
import { type BasePlan, MASQUERADE_MARK } from "../firewall.ts";
import { chainOf } from "../names.ts";
import type { Chain, Piece } from "../ruleset.ts";

export const HOOKS = [
  { table: "nat", chain: "PREROUTING", to: "-services" },
  { table: "nat", chain: "OUTPUT", to: "-services" },
  { table: "nat", chain: "POSTROUTING", to: "-masq" },
  { table: "filter", chain: "FORWARD", to: "-forward" },
  { table: "filter", chain: "OUTPUT", to: "-forward" },
  { table: "filter", chain: "INPUT", to: "-input" },
] as const;

/** Chains that hold nothing but elements. */
export const LISTS = ["nat/-addresses", "nat/-ports", "nat/-hairpin", "filter/-refused", "filter/-no-ports"] as const;

export const MARK = `-j MARK --set-xmark ${MASQUERADE_MARK}/${MASQUERADE_MARK}`;
const MARKED = `-m mark --mark ${MASQUERADE_MARK}/${MASQUERADE_MARK}`;
const TRANSLATED = "-m conntrack --ctstate DNAT";
const AT_THE_NODE = "! -d 127.0.0.0/8 -m addrtype --dst-type LOCAL";

export function basePieceOf(base: BasePlan, short: string): Piece {
  const chain = (name: string, title: string, rules: readonly string[]): [string, Chain] => {
    const [table, end = ""] = name.split("/");
    return [`${table}/${short}${end}`, chainOf(title, rules)];
  };
  const take = base.gateway === undefined ? "-j MASQUERADE" : `-j SNAT --to-source ${base.gateway}`;
  return {
    sets: new Map(LISTS.map((name) => [name.replace("/", `/${short}`), "chain"])),
    chains: new Map([
      chain("nat/-services", "to a service", servicesRules(base, short)),
      chain("nat/-take", "takes this host's address", [take]),
      chain("nat/-masq", "who takes this host's address", masqueradeRules(base, short)),
      chain("filter/-refuse", "nobody answers there", [
        "-p tcp -j REJECT --reject-with tcp-reset",
        "-j REJECT --reject-with icmp-port-unreachable",
      ]),
      chain("filter/-forward", "refusals", [
        "-m conntrack --ctstate ESTABLISHED,RELATED -j RETURN",
        ...refusals(base, short),
        `-j ${short}-refused`,
      ]),
      chain("filter/-input", "refusals at node ports", [
        ...amongPods(base),
        `-m conntrack --ctstate NEW ${AT_THE_NODE} -j ${short}-no-ports`,
      ]),
    ]),
    elements: HOOKS.map(({ table, chain: builtIn, to }) => ({
      ...{ container: `${table}/${builtIn}`, key: "", value: `${short}${to}`, title: "" },
    })),
  };
}

function refusals({ serviceRange, foreign }: BasePlan, short: string): readonly string[] {
  if (serviceRange === undefined || foreign.whole !== undefined) return [];
  return [...foreign.ranges.map(({ range }) => `-d ${range} -j RETURN`), `-d ${serviceRange} -j ${short}-refuse`];
}

/** Names are answered there, whatever port a Service has. */
function amongPods({ gateway }: BasePlan): readonly string[] {
  return gateway === undefined ? [] : [`-d ${gateway} -j RETURN`];
}

function servicesRules(base: BasePlan, short: string): readonly string[] {
  const { podRange, serviceRange } = base;
  const strangers = podRange !== undefined && serviceRange !== undefined;
  return [
    ...(strangers ? [`-d ${serviceRange} ! -s ${podRange} ${MARK}`] : []),
    `-j ${short}-addresses`,
    ...amongPods(base),
    `${AT_THE_NODE} -j ${short}-ports`,
  ];
}

function masqueradeRules({ podRange, ownRange, isBridgeFiltered }: BasePlan, short: string): readonly string[] {
  const isHidden = !isBridgeFiltered && ownRange !== undefined;
  return [
    `${TRANSLATED} -j ${short}-hairpin`,
    ...(isHidden ? [`-s ${ownRange} -d ${ownRange} ${TRANSLATED} -j ${short}-take`] : []),
    ...(ownRange === undefined ? [] : [`-d ${ownRange} -j RETURN`]),
    `${MARKED} -m addrtype --dst-type LOCAL -j RETURN`,
    ...(podRange === undefined ? [] : [`-d ${podRange} ${MARKED} ${TRANSLATED} -j ${short}-take`]),
    // What was marked and is no Service's in the end keeps its sender.
    `${MARKED} ${TRANSLATED} -j MASQUERADE`,
  ];
}
