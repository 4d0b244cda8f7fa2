/** How copies lie over nodes and zones, before and after: which workloads are uneven, and the rows of the table. */
import type { Pod } from "../../model/pod.ts";
import type { WorkloadPlan } from "../../model/rebalance.ts";
import { ANNOTATION, NODE_LABEL } from "../../model/well-known.ts";
import type { Board, Piece } from "./board.ts";

interface Grouped {
  readonly uid: string;
  readonly pieces: readonly Piece[];
}

interface Line {
  readonly name: string;
  readonly dialect: string;
  readonly before: ReadonlyMap<string, number>;
  readonly after: Map<string, number>;
  moves: number;
}

/** Up to here every node that takes pods is a column; beyond, only those whose number changes. */
const COLUMNS = 12;

export class Spreads {
  readonly #lines = new Map<string, Line>();
  readonly #nodes: readonly string[];
  readonly #zoneOf: ReadonlyMap<string, string>;
  /** Zones with a node that takes pods. */
  readonly #openZones: readonly string[];
  readonly #before = new Map<string, ReadonlyMap<string, number>>();

  constructor(board: Board) {
    this.#nodes = board.openNodes.map(({ name }) => name);
    const zones = board.index.nodes.map(({ name, facts }) => [name, facts.labels[NODE_LABEL.zone]] as const);
    this.#zoneOf = new Map(zones.flatMap(([name, zone]) => (zone === undefined ? [] : [[name, zone] as const])));
    this.#openZones = [...new Set(this.#nodes.flatMap((name) => this.#zoneOf.get(name) ?? []))];
  }

  /** How many copies more there are in one place than in another. */
  skew({ uid, pieces }: Grouped): number {
    const counts = countBy(pieces, ({ nodeName }) => nodeName);
    this.#before.set(uid, counts);
    const byZone = countBy(pieces, ({ nodeName }) => this.#zoneOf.get(nodeName));
    return Math.max(skewOf(counts, this.#nodes), skewOf(byZone, this.#openZones));
  }

  note(uid: string, name: string, from: string, to: string, pod: Pod): void {
    const before = this.#before.get(uid) ?? new Map<string, number>();
    const line = this.#lines.get(uid) ?? {
      name,
      dialect: pod.metadata.annotations?.[ANNOTATION.dialect] ?? "kubernetes",
      before,
      after: new Map(before),
      moves: 0,
    };
    this.#lines.set(uid, line);
    line.moves++;
    line.after.set(from, (line.after.get(from) ?? 0) - 1);
    line.after.set(to, (line.after.get(to) ?? 0) + 1);
  }

  /** Yields between rows: each has to look at all nodes. */
  *rows(): Generator<undefined, readonly WorkloadPlan[], undefined> {
    const rows: WorkloadPlan[] = [];
    for (const line of this.#lines.values()) {
      rows.push(this.#row(line));
      yield;
    }
    return rows.sort((a, b) => (a.workload < b.workload ? -1 : a.workload > b.workload ? 1 : 0));
  }

  #row({ name, dialect, before, after, moves }: Line): WorkloadPlan {
    const gap = (counts: ReadonlyMap<string, number>) => skewOf(counts, this.#nodes);
    const zones = [...new Set(this.#zoneOf.values())].sort();
    const byZone = (counts: ReadonlyMap<string, number>) => sumBy(counts, (node) => this.#zoneOf.get(node));
    const zoneGap = (counts: ReadonlyMap<string, number>) => skewOf(byZone(counts), zones);
    const over = gap(after) < gap(before) ? "hosts" : zoneGap(after) < zoneGap(before) ? "zones" : "load";
    const [left, right] = over === "zones" ? [byZone(before), byZone(after)] : [before, after];
    const places = over === "zones" ? zones : this.#columns(before, after);
    const at = (counts: ReadonlyMap<string, number>) => places.map((place) => counts.get(place) ?? 0);
    return { workload: name, dialect, over, places, before: at(left), after: at(right), moves };
  }

  #columns(before: ReadonlyMap<string, number>, after: ReadonlyMap<string, number>): readonly string[] {
    const names = [...new Set([...this.#nodes, ...before.keys(), ...after.keys()])].sort();
    if (names.length <= COLUMNS) return names;
    return names.filter((name) => (before.get(name) ?? 0) !== (after.get(name) ?? 0));
  }
}

/** The most in any place less the fewest in one of `places`. */
function skewOf(counts: ReadonlyMap<string, number>, places: readonly string[]): number {
  if (places.length < 2) return 0;
  const numbers = places.map((place) => counts.get(place) ?? 0);
  return Math.max(...numbers) - Math.min(...numbers);
}

function countBy(pieces: readonly Piece[], place: (piece: Piece) => string | undefined): Map<string, number> {
  const counts = new Map<string, number>();
  for (const piece of pieces) {
    const name = place(piece);
    if (name !== undefined) counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return counts;
}

function sumBy(counts: ReadonlyMap<string, number>, place: (node: string) => string | undefined): Map<string, number> {
  const sums = new Map<string, number>();
  for (const [node, count] of counts) {
    const name = place(node);
    if (name !== undefined) sums.set(name, (sums.get(name) ?? 0) + count);
  }
  return sums;
}
