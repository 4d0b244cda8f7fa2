/** One table of iptables, as `iptables -S` shows it. Pure. */

export interface ShownTable {
  /** Rules by chain, without `-A NAME`. */
  readonly chains: ReadonlyMap<string, readonly string[]>;
  /** Of built-in chains: what becomes of a packet of which no rule says anything. */
  readonly policies: ReadonlyMap<string, string>;
}

export function readTable(text: string): ShownTable {
  const chains = new Map<string, string[]>();
  const policies = new Map<string, string>();
  for (const line of text.split("\n")) {
    const [, what, name = "", rest = ""] = /^-([PNA]) (\S+) ?(.*)$/.exec(line) ?? [];
    if (what === "A") chains.get(name)?.push(rest);
    else if (what !== undefined) chains.set(name, []);
    if (what === "P") policies.set(name, rest.split(" ")[0] ?? "");
  }
  return { chains, policies };
}

/**
 * Built-in chains, and those to which every packet comes from there. A chain may be there and nobody come to it: after a flush, Docker's
 * chains are left without what led to them.
 */
export function reachedChains({ chains, policies }: ShownTable): ReadonlySet<string> {
  const reached = new Set(policies.keys());
  for (const chain of reached)
    for (const rule of chains.get(chain) ?? []) {
      const target = everyonesTarget(rule);
      if (target !== undefined && chains.has(target)) reached.add(target);
    }
  return reached;
}

/** Where a rule without any condition sends packets: a chain's name, or a verdict. */
export function everyonesTarget(rule: string): string | undefined {
  return /^(?:-m comment --comment (?:"(?:[^"\\]|\\.)*"|\S+) )?-[jg] (\S+)/.exec(rule)?.[1];
}

/** Nothing behind such a rule is looked at. */
export function endsChain(rule: string): boolean {
  return /^(?:ACCEPT|DROP|REJECT|RETURN)$/.test(everyonesTarget(rule) ?? "");
}
