/**
 * The floors: what a way has of another one that is measured right before or after it. Rounds of one way differ by more than the floors allow
 * for, with whatever else the machine does; two seconds that follow each other hardly do, and of many such pairs the median is steady.
 */
import { printTable } from "../lib/table.ts";
import { type Figures, measureKept, median, type Path } from "./measure.ts";

const PAIRS = 24;

type Kept = Omit<Figures, "fresh">;

interface Floor {
  readonly what: string;
  readonly than: string;
  readonly least: { readonly throughput?: number; readonly requests: number };
}

const FLOORS: readonly Floor[] = [
  {
    what: "Styrmann, other host, routes",
    than: "bare path between two hosts' bridges",
    least: { throughput: 0.95, requests: 0.95 },
  },
  {
    what: "Styrmann, service address, other host",
    than: "Styrmann, other host, routes",
    least: { requests: 0.9 },
  },
];

/** Prints them; false when one is missed. */
export async function compareNeighbours(paths: readonly Path[]): Promise<boolean> {
  const rows: string[][] = [];
  for (const { what, than, least } of FLOORS) {
    const pairs = await pairsOf(named(paths, what), named(paths, than));
    const { throughput, requests } = least;
    if (throughput !== undefined)
      rows.push(row(`${what}, of ${than}: throughput`, pairs, ({ gigabits = 0 }) => gigabits, throughput));
    rows.push(row(`${what}, of ${than}: requests`, pairs, ({ kept }) => kept.perSecond, requests));
  }
  printTable(`Floors, of ${PAIRS} pairs of neighbours`, ["", "median", "middle half", "floor", ""], rows);
  return rows.every((words) => words.at(-1) === "");
}

async function pairsOf(path: Path, other: Path): Promise<readonly (readonly [Kept, Kept])[]> {
  console.log(`${path.name}, and ${other.name}: ${PAIRS} pairs`);
  const pairs: (readonly [Kept, Kept])[] = [];
  for (let at = 0; at < PAIRS; at++) {
    // Whoever comes first has the caches of the one before: each comes first as often as the other.
    const first = await measureKept(at % 2 === 0 ? path : other);
    const second = await measureKept(at % 2 === 0 ? other : path);
    pairs.push(at % 2 === 0 ? [first, second] : [second, first]);
  }
  return pairs;
}

function row(name: string, pairs: readonly (readonly [Kept, Kept])[], of: (one: Kept) => number, floor: number) {
  const ratios = pairs.map(([one, other]) => of(one) / of(other)).toSorted((a, b) => a - b);
  const at = (part: number) => (ratios[Math.floor(part * ratios.length)] ?? Number.NaN).toFixed(2);
  const measured = median(ratios);
  return [name, measured.toFixed(2), `${at(0.25)} to ${at(0.75)}`, floor.toFixed(2), measured < floor ? "MISSED" : ""];
}

function named(paths: readonly Path[], name: string): Path {
  const path = paths.find((one) => one.name === name);
  if (path === undefined) throw new Error(`there is no way ${name}`);
  return path;
}
