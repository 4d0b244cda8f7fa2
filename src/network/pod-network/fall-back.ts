/** Which nodes' pods are not reached by plain routes, though their hosts share the link: clouds drop what they have not given the address of. Pure but for what it remembers. */

export interface FallBackFacts {
  readonly node: string;
  readonly failures: number;
  readonly isSilent: boolean;
  readonly nowMs: number;
  /** The device behind which its host is. */
  readonly link?: string;
}

/** A node whose host is on a link of this host's. */
export interface LinkPeer {
  readonly node: string;
  readonly link: string;
  /** It answers, and by a plain route. */
  readonly isReached: boolean;
  readonly isSilent: boolean;
}

/** So many in a row, a second apart: a node that has just come is given time to have its bridge. */
const FAILURES = 6;
const FIRST_RETRY_MS = 15_000;
/** One connection each time; and a link that was mended is used again within minutes. */
const MOST_RETRY_MS = 300_000;
/** When so many of one link are not reached by plain routes, and nobody is, it is the link. */
const ENOUGH_OF_A_LINK = 3;

interface Fallen {
  readonly retryAtMs: number;
  readonly waitMs: number;
  readonly link: string | undefined;
}

export class FallBack {
  readonly #fallen = new Map<string, Fallen>();
  /** Those of them that wrapped packets did not reach either. */
  readonly #dead = new Set<string>();
  /** Plain routes led there when they were tried again. */
  readonly #mended = new Set<string>();

  get nodes(): ReadonlySet<string> {
    return new Set(this.#fallen.keys());
  }

  /** Whether another way has to be taken from now on. */
  failed({ node, failures, isSilent, nowMs, link }: FallBackFacts): boolean {
    // Of a node that nobody hears, no way is at fault.
    if (failures < FAILURES || isSilent || this.#fallen.has(node)) return false;
    this.fall(node, link, nowMs);
    return true;
  }

  /** The others of links on which no plain route leads anywhere: not each of them has to be waited for. */
  failedWithLink(peers: readonly LinkPeer[], nowMs: number): readonly string[] {
    return [...Map.groupBy(peers, ({ link }) => link)].flatMap(([link, all]) => {
      const isDead = !all.some(({ node, isReached }) => isReached || this.#mended.has(node));
      const fallen = all.filter(({ node }) => this.#fallen.has(node)).length;
      if (!isDead || fallen < ENOUGH_OF_A_LINK) return [];
      const others = all.filter(({ node, isSilent }) => !isSilent && !this.#fallen.has(node)).map(({ node }) => node);
      for (const node of others) this.fall(node, link, nowMs);
      return others;
    });
  }

  /** Nodes to which plain routes are to be tried again, those first that waited longest. */
  due(nowMs: number): readonly string[] {
    return [...this.#fallen]
      .filter(([, { retryAtMs }]) => retryAtMs <= nowMs)
      .sort(([a, { retryAtMs: one }], [b, { retryAtMs: other }]) => one - other || (a < b ? -1 : 1))
      .map(([node]) => node);
  }

  /** That the link drops packets of pods is no more than a guess while wrapped ones fail, too: when these are answered, plain ones are tried at once. */
  wrapped(node: string, isReached: boolean, nowMs: number): void {
    const fallen = this.#fallen.get(node);
    if (fallen === undefined) return;
    if (!isReached) this.#dead.add(node);
    else if (this.#dead.delete(node))
      this.#fallen.set(node, { ...fallen, retryAtMs: Math.min(fallen.retryAtMs, nowMs) });
  }

  /** What works for one of a link may work for all of it: they are due at once. */
  tried(node: string, works: boolean, nowMs: number): void {
    const before = this.#fallen.get(node);
    if (!before) return;
    if (!works) {
      const waitMs = Math.min(before.waitMs * 2, MOST_RETRY_MS);
      this.#fallen.set(node, { ...before, retryAtMs: nowMs + waitMs, waitMs });
      return;
    }
    this.#fallen.delete(node);
    this.#dead.delete(node);
    this.#mended.add(node);
    if (before.link === undefined) return;
    for (const [other, fallen] of this.#fallen)
      if (fallen.link === before.link && fallen.retryAtMs > nowMs)
        this.#fallen.set(other, { ...fallen, retryAtMs: nowMs });
  }

  keepOnly(nodes: ReadonlySet<string>): void {
    for (const node of [...this.#fallen.keys()]) if (!nodes.has(node)) this.#fallen.delete(node);
    for (const node of [...this.#dead]) if (!nodes.has(node)) this.#dead.delete(node);
    for (const node of [...this.#mended]) if (!nodes.has(node)) this.#mended.delete(node);
  }

  /** Also of a way that an earlier agent had to take: it works, and a plain one may not. It is tried again as all are. */
  fall(node: string, link: string | undefined, nowMs: number): void {
    this.#mended.delete(node);
    this.#fallen.set(node, { retryAtMs: nowMs + FIRST_RETRY_MS, waitMs: FIRST_RETRY_MS, link });
  }
}
