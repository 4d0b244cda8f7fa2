/** Whose certificates are ordered next. Pure. */

/** A host that waits for an order, or whose order is under way. */
export interface Wanted {
  readonly host: string;
  readonly namespace: string;
  /** It has a certificate, which runs out. */
  readonly isRenewal: boolean;
  readonly failures: number;
  /** Since when, or from when on; 0: it never had one. */
  readonly atMs: number;
}

/** An authority that does not end one order must not hold up all others. */
const PLACES = 4;
/** Further ones: a renewal waits for no first order. */
const PLACES_FOR_RENEWALS = 2;

/** `lastTurns`: namespace → the later it was served, the more. */
export function nextOrders(
  due: readonly Wanted[],
  underWay: readonly Wanted[],
  lastTurns: ReadonlyMap<string, number>,
): readonly Wanted[] {
  const [left, taken, next] = [new Set(due), [...underWay], [] as Wanted[]];
  for (;;) {
    const places = taken.length < PLACES ? [...left] : [...left].filter(({ isRenewal }) => isRenewal);
    const [first] = places.sort(byTurn(taken, lastTurns));
    if (first === undefined || taken.length >= PLACES + PLACES_FOR_RENEWALS) return next;
    left.delete(first);
    taken.push(first);
    next.push(first);
  }
}

/**
 * Who has the fewest under way comes first: one namespace's hosts, however many, hold up no other's. Then renewals, since their hosts are
 * in use; then whose turn was the longest ago; of one namespace who never failed, and who has waited longest, which is who has none.
 */
function byTurn(taken: readonly Wanted[], lastTurns: ReadonlyMap<string, number>): (a: Wanted, b: Wanted) => number {
  const counts = new Map<string, number>();
  for (const { namespace } of taken) counts.set(namespace, (counts.get(namespace) ?? 0) + 1);
  const under = ({ namespace }: Wanted) => counts.get(namespace) ?? 0;
  const last = ({ namespace }: Wanted) => lastTurns.get(namespace) ?? 0;
  return (a, b) =>
    under(a) - under(b) ||
    Number(b.isRenewal) - Number(a.isRenewal) ||
    last(a) - last(b) ||
    a.failures - b.failures ||
    a.atMs - b.atMs ||
    (a.host < b.host ? -1 : 1);
}

const MOST_REMEMBERED = 1_000;

/** It is that namespace's turn now. Of very many those are forgotten whose turn was the longest ago, and who are next by that. */
export function takeTurn(lastTurns: Map<string, number>, namespace: string): void {
  const latest = [...lastTurns.values()].at(-1) ?? 0;
  lastTurns.delete(namespace);
  lastTurns.set(namespace, latest + 1);
  const [oldest] = lastTurns.keys();
  if (lastTurns.size > MOST_REMEMBERED && oldest !== undefined) lastTurns.delete(oldest);
}
