/** Which nodes' pods are not reached by plain routes, though their hosts share the link: clouds drop what they have not given the address of. Pure but for what it remembers. */

export interface FallBackFacts {
  readonly node: string;
  readonly failures: number;
  readonly isSilent: boolean;
  readonly nowMs: number;
}

/** So many in a row, a second apart: a node that has just come is given time to have its bridge. */
const FAILURES = 6;
const FIRST_RETRY_MS = 15_000;
/** One connection each time; and a link that was mended is used again within minutes. */
const MOST_RETRY_MS = 300_000;

interface Fallen {
  readonly retryAtMs: number;
  readonly waitMs: number;
}

export class FallBack {
  readonly #fallen = new Map<string, Fallen>();

  get nodes(): ReadonlySet<string> {
    return new Set(this.#fallen.keys());
  }

  /** Whether another way has to be taken from now on. */
  failed({ node, failures, isSilent, nowMs }: FallBackFacts): boolean {
    // Of a node that nobody hears, no way is at fault.
    if (failures < FAILURES || isSilent || this.#fallen.has(node)) return false;
    this.#fallen.set(node, { retryAtMs: nowMs + FIRST_RETRY_MS, waitMs: FIRST_RETRY_MS });
    return true;
  }

  /** Nodes to which plain routes are to be tried again. */
  due(nowMs: number): readonly string[] {
    return [...this.#fallen].flatMap(([node, { retryAtMs }]) => (retryAtMs <= nowMs ? [node] : [])).sort();
  }

  tried(node: string, works: boolean, nowMs: number): void {
    const before = this.#fallen.get(node);
    if (!before) return;
    if (works) this.#fallen.delete(node);
    else {
      const waitMs = Math.min(before.waitMs * 2, MOST_RETRY_MS);
      this.#fallen.set(node, { retryAtMs: nowMs + waitMs, waitMs });
    }
  }

  keepOnly(nodes: ReadonlySet<string>): void {
    for (const node of [...this.#fallen.keys()]) if (!nodes.has(node)) this.#fallen.delete(node);
  }
}
