/** Copies that take no connections from this host, in words. Pure. */
export interface ClosedCopies {
  /** `address:port` → what came of a connection. */
  readonly places: ReadonlyMap<string, string>;
  /** Of so many. */
  readonly of: number;
  /** This node, and its address. */
  readonly from: string;
  readonly address: string;
}

const MOST_NAMED = 3;

/** Refused: the host answers, and no program listens there. */
export function closedWords({ places, of, from, address }: ClosedCopies): string {
  const all = [...places].sort(([a], [b]) => (a < b ? -1 : 1));
  const named = all.slice(0, MOST_NAMED).map(([place, why]) => `${place}: ${why}`);
  const more = all.length > MOST_NAMED ? [`${all.length - MOST_NAMED} more`] : [];
  const isSilent = all.some(([, why]) => why !== "refused");
  const cause = isSilent ? `does a NetworkPolicy keep ${address} out?` : "does the program listen there?";
  const what = all.length === of ? "and all are tried all the same" : "and get no requests";
  return `${all.length} of ${of} copies take no connections from ${from} (${[...named, ...more].join(", ")}), ${what}: ${cause} styr network trace ${from} ${all[0]?.[0]}`;
}
