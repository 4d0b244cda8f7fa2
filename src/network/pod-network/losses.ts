/** Of the last probes of each node, those that got no answer: a link that loses some packets is seen in no single one. Pure but for what it remembers. */
import type { LostProbes } from "../../model/network-report.ts";

/** Kept in one number, of which 53 bits are exact: some minutes of a small cluster. */
const MOST_PROBES = 50;
/** Of one row of failures: a node that was away and came back is no link that loses packets. */
const MOST_OF_A_ROW = 3;
/** A healthy link loses none; one probe or two may be lost when a node comes or a cable is changed. */
const [FEWEST_LOST, FEWEST_ROWS] = [4, 3];
/** It is said until so many in a row were answered: two minutes of a small cluster. */
const CLEAN_PROBES = 24;
/** After one that was lost, so many are sent sooner than it would be their turn: whether it was the only one is known in seconds, not in minutes. */
const DOUBTFUL_PROBES = 12;

interface Memory {
  /** The youngest probe is the lowest bit, set when it was lost. */
  readonly bits: number;
  readonly count: number;
  /** Failures since the last answer. */
  readonly row: number;
}

const NOTHING: Memory = { bits: 0, count: 0, row: 0 };

export class Losses {
  readonly #memories = new Map<string, Memory>();

  record(node: string, isLost: boolean): void {
    const { bits, count, row } = this.#memories.get(node) ?? NOTHING;
    if (isLost && row >= MOST_OF_A_ROW) return;
    this.#memories.set(node, {
      bits: (bits * 2 + Number(isLost)) % 2 ** MOST_PROBES,
      count: Math.min(count + 1, MOST_PROBES),
      row: isLost ? row + 1 : 0,
    });
  }

  forget(node: string): void {
    this.#memories.delete(node);
  }

  keepOnly(nodes: ReadonlySet<string>): void {
    for (const node of [...this.#memories.keys()]) if (!nodes.has(node)) this.#memories.delete(node);
  }

  /** Whether one of the last few was lost. */
  isDoubtful(node: string): boolean {
    return (this.#memories.get(node)?.bits ?? 0) % 2 ** DOUBTFUL_PROBES !== 0;
  }

  /** Undefined: as few as a healthy link may lose. */
  of(node: string): LostProbes | undefined {
    const memory = this.#memories.get(node);
    // What is true of nearly all nodes is said without counting.
    if (memory === undefined || memory.bits === 0) return undefined;
    const probes = memory.bits.toString(2);
    const lost = probes.replaceAll("0", "").length;
    const rows = probes.split("0").filter((row) => row !== "").length;
    const isRecent = memory.bits % 2 ** CLEAN_PROBES !== 0;
    return isRecent && lost >= FEWEST_LOST && rows >= FEWEST_ROWS ? { lost, of: memory.count } : undefined;
  }
}

/** Of the nodes that are named. */
const MOST_NAMED = 5;

/** The same without what changes all the time. */
export function unsteadyWords(losses: readonly { readonly node: string }[]): string | undefined {
  if (losses.length === 0) return undefined;
  const nodes = losses.map(({ node }) => node).sort();
  const more = nodes.length > MOST_NAMED ? ` and ${nodes.length - MOST_NAMED} more` : "";
  const named = `${nodes.length === 1 ? "node" : "nodes"} ${nodes.slice(0, MOST_NAMED).join(", ")}${more}`;
  return `probes to ${named} are lost now and then, so connections there wait for seconds: styr network status`;
}

/** In words, of all nodes that this one reaches now and then; undefined: of none. `peers`: how many others there are. */
export function lossWords(
  losses: readonly (LostProbes & { readonly node: string })[],
  peers: number,
): string | undefined {
  if (losses.length === 0) return undefined;
  const worst = losses.toSorted((a, b) => b.lost / b.of - a.lost / a.of || (a.node < b.node ? -1 : 1));
  const named = worst.slice(0, MOST_NAMED).map(({ node, lost, of }) => `${node} (${lost} of the last ${of})`);
  const more = losses.length > MOST_NAMED ? ` and ${losses.length - MOST_NAMED} more nodes` : "";
  const isOwn = losses.length > 1 && losses.length > peers / 2;
  const where = isOwn
    ? "this host's own card, cable or port of the switch"
    : "that host's card, its cable, the switch between";
  return `probes to ${named.join(", ")}${more} are lost, so connections there wait for seconds: look at ${where} (ip -s link)`;
}
