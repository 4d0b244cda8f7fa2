/**
 * Other addresses of hosts that `ipBlock`s mean, as sets of their own: one for each block, whatever policies say it. A node that comes is a few
 * elements more in them, and no policy is written anew.
 */
import { type Block, type BlockHosts, type BlockSetNames, hostReader } from "./ip-block.ts";
import { named, type Thing, type Things } from "./thing.ts";

/** A host's own address, and the others that it sends from. */
export type HostPlace = readonly [address: string, others: readonly string[]];

interface Used {
  readonly block: Block;
  readonly read: ReturnType<typeof hostReader>;
  readonly policies: Set<string>;
  /** By node; those that are nothing to the block are left out. */
  readonly hosts: Map<string, BlockHosts>;
  /** How many of them there are in each set. */
  readonly count: { also: number; but: number };
}

const NOTHING: BlockHosts = { also: [], but: [] };
const SIDES = ["also", "but"] as const;

export class BlockSets {
  readonly #hosts = new Map<string, HostPlace>();
  readonly #used = new Map<string, Used>();
  readonly #byPolicy = new Map<string, readonly string[]>();

  get nodes(): Iterable<string> {
    return this.#hosts.keys();
  }

  /** Blocks (by key) whose sets are others now; `turned`: those of them of which some set is empty no more, or now. */
  hear(
    node: string,
    host: HostPlace | undefined,
  ): { readonly changed: readonly string[]; readonly turned: readonly string[] } {
    if (JSON.stringify(host) === JSON.stringify(this.#hosts.get(node))) return { changed: [], turned: [] };
    if (host) this.#hosts.set(node, host);
    else this.#hosts.delete(node);
    const [changed, turned]: [string[], string[]] = [[], []];
    for (const [key, used] of this.#used) {
      const names = JSON.stringify(this.setsOf(used.block));
      if (!put(used, node, host)) continue;
      changed.push(key);
      if (JSON.stringify(this.setsOf(used.block)) !== names) turned.push(key);
    }
    return { changed, turned };
  }

  /** What this policy says from now on. Blocks (by key) that came or went with it. */
  use(policy: string, blocks: readonly Block[]): readonly string[] {
    const now = new Map(blocks.map((block) => [keyOf(block), block]));
    const changed: string[] = [];
    for (const key of this.#byPolicy.get(policy) ?? [])
      if (!now.has(key) && this.#leave(key, policy)) changed.push(key);
    for (const [key, block] of now) {
      if (!this.#used.has(key)) changed.push(key);
      this.#usedOf(key, block).policies.add(policy);
    }
    if (now.size > 0) this.#byPolicy.set(policy, [...now.keys()]);
    else this.#byPolicy.delete(policy);
    return changed;
  }

  policiesOf(key: string): Iterable<string> {
    return this.#used.get(key)?.policies ?? [];
  }

  setsOf(block: Block): BlockSetNames {
    const used = this.#used.get(keyOf(block));
    return {
      ...(used && used.count.also > 0 ? { also: setName("also", block) } : {}),
      ...(used && used.count.but > 0 ? { but: setName("but", block) } : {}),
    };
  }

  things(key: string): Things {
    const things = new Map<string, Thing>();
    const used = this.#used.get(key);
    for (const side of used ? SIDES : []) {
      const elements = [...new Set([...(used?.hosts.values() ?? [])].flatMap((host) => host[side]))].sort();
      if (used === undefined || elements.length === 0) continue;
      const comment = `${side === "also" ? "hosts of" : "hosts not of"} ${used.block.cidr}, where else they send from`;
      things.set(setName(side, used.block), {
        kind: "set",
        type: "ipv4_addr",
        comment,
        elements,
        ...(side === "but" ? { keepsOut: true } : {}),
      });
    }
    return things;
  }

  #usedOf(key: string, block: Block): Used {
    const before = this.#used.get(key);
    if (before) return before;
    const used: Used = {
      block,
      read: hostReader(block),
      policies: new Set(),
      hosts: new Map(),
      count: { also: 0, but: 0 },
    };
    for (const [node, host] of this.#hosts) put(used, node, host);
    this.#used.set(key, used);
    return used;
  }

  /** Whether it was the last. */
  #leave(key: string, policy: string): boolean {
    const used = this.#used.get(key);
    used?.policies.delete(policy);
    return used?.policies.size === 0 && this.#used.delete(key);
  }
}

/** Whether that changes anything. */
function put({ read, hosts, count }: Used, node: string, host: HostPlace | undefined): boolean {
  const [before, now] = [hosts.get(node) ?? NOTHING, host === undefined ? NOTHING : read(...host)];
  if (JSON.stringify(before) === JSON.stringify(now)) return false;
  for (const side of SIDES) count[side] += Number(now[side].length > 0) - Number(before[side].length > 0);
  if (now.also.length + now.but.length === 0) hosts.delete(node);
  else hosts.set(node, now);
  return true;
}

function keyOf({ cidr, except }: Block): string {
  return [cidr, ...except.toSorted()].join(" ");
}

function setName(side: string, block: Block): string {
  return named("b", `${side} ${keyOf(block)}`);
}
