import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import type { Random } from "../seams/random.ts";
import type { Options } from "./settings.ts";
import type { StorePlace } from "./store-place.ts";

/** What a state directory remembers of how it was started, so that later commands need not be told again. */
export interface Place {
  /** Marks everything that this directory is answerable for. Made once, kept for ever. */
  readonly instance: string;
  readonly network: string;
  readonly cgroup: string;
  readonly podRange: string;
  readonly dockerHost: string;
  /** Where the control plane of this directory keeps its state; absent where it has none, and for sqlite of earlier versions. */
  readonly store?: StorePlace;
}

const FILE = "place.json";

/** Undefined when nothing was ever started on this directory. */
export async function readPlace(stateDir: string): Promise<Place | undefined> {
  try {
    return JSON.parse(await readFile(join(stateDir, FILE), "utf8")) as Place;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new Error(`${join(stateDir, FILE)} cannot be read: ${(error as Error).message}`);
  }
}

/** Makes the state directory and writes the place down; the instance of a place that was there stays, and what is not given. */
export async function keepPlace(stateDir: string, place: Omit<Place, "instance">, random: Random): Promise<Place> {
  await mkdir(stateDir, { recursive: true, mode: 0o711 });
  const before = await readPlace(stateDir);
  const kept = { ...before, ...place, instance: before?.instance ?? random.uuid() };
  // A full disk must not keep a node from coming back.
  if (isDeepStrictEqual(before, kept)) return kept;
  const file = join(stateDir, FILE);
  await writeFile(`${file}.new`, `${JSON.stringify(kept, undefined, 2)}\n`, { flush: true, mode: 0o600 });
  await rename(`${file}.new`, file);
  return kept;
}

/** Options as given, with what the place remembers for those that were not. */
export function withRemembered(options: Options, place: Place | undefined): Options {
  if (!place) return options;
  const { network, cgroup, podRange } = place;
  return { network, cgroup, podRange, ...options };
}
