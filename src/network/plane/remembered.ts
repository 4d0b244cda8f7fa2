import type { NetworkCache } from "./network-cache.ts";
import type { PartReport } from "./network-part.ts";

const BEHIND =
  "what the disk has of the network is older than what this node knew: pods that begin now wait until a server is heard, as policies may be missing in it";

/** What a node's disk has of the network, against what the node knows. */
export class Remembered {
  readonly #cache: Pick<NetworkCache, "isBehind" | "problem"> | undefined;
  readonly #hasHeard: () => boolean;

  constructor(cache: Pick<NetworkCache, "isBehind" | "problem"> | undefined, hasHeard: () => boolean) {
    this.#cache = cache;
    this.#hasHeard = hasHeard;
  }

  /** Why what is in force may not be all: the disk had less than was known, and nobody has told it anew. */
  get whyBehind(): string | undefined {
    return this.#cache?.isBehind === true && !this.#hasHeard() ? BEHIND : undefined;
  }

  /** A row beside those of the parts, where something is to be said. */
  get rows(): readonly (PartReport & { readonly name: string })[] {
    const words = this.whyBehind ?? this.#unkept;
    return words === undefined ? [] : [{ name: "memory", state: "failing", words }];
  }

  get #unkept(): string | undefined {
    const problem = this.#cache?.problem ?? "";
    if (problem === "") return undefined;
    return `what this node knows of the network is not on its disk (${problem}): booted without a server it would have older policies and routes; it is tried again every few seconds`;
  }
}
