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
  /** What the node asks for, or was given by the cluster. */
  readonly podRange?: string | undefined;
  /** False: the pods' network is this host's alone. */
  readonly clusterNetwork?: boolean;
  /** HTTP from outside comes in here, and at which ports. */
  readonly wayIn?: boolean;
  readonly wayInPorts?: string;
  readonly dockerHost: string;
  /** Where the control plane of this directory keeps its state; absent where it has none, and for sqlite of earlier versions. */
  readonly store?: StorePlace;
  /** Where a server here served HTTPS last: the others know it by that. */
  readonly listen?: string;
  /** What it was given to be reached at. */
  readonly advertise?: string | undefined;
}

interface Listener {
  readonly host: string;
  readonly port: number;
}

interface Reach extends Listener {
  readonly advertise: Listener | undefined;
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
  const merged = { ...before, ...place, instance: before?.instance ?? random.uuid() };
  const kept = JSON.parse(JSON.stringify(merged)) as Place;
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
  const { network, cgroup, podRange, clusterNetwork, wayIn, wayInPorts, listen, advertise } = place;
  // Another listener is reached elsewhere.
  const isSame = options.listen === undefined || options.listen === listen;
  const reached = isSame && advertise !== undefined ? { advertise } : {};
  const known = {
    ...(podRange === undefined ? {} : { podRange }),
    ...(clusterNetwork === undefined ? {} : { clusterNetwork }),
    ...(wayIn === undefined ? {} : { wayIn }),
    ...(wayInPorts === undefined ? {} : { wayInPorts }),
    ...(listen === undefined ? {} : { listen }),
  };
  return { network, cgroup, ...known, ...reached, ...options };
}

/** What a server leaves for its next start. A port that the kernel picked is none to come back to. */
export function reachOf({ host, port, advertise }: Reach): Pick<Place, "listen" | "advertise"> {
  const at = (where: Listener) => `${where.host.includes(":") ? `[${where.host}]` : where.host}:${where.port}`;
  return {
    ...(port === 0 ? {} : { listen: at({ host, port }) }),
    advertise: advertise && at(advertise),
  };
}
