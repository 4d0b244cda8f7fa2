/** Whose the ports of the pods' bridge are: the engine says which containers have which addresses, and the kernel which cable is whose. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { DriverError } from "../driver.ts";
import { type Engine, EngineRefusal } from "./engine.ts";
import { isRefusal } from "./refusal.ts";

export interface ContainerPort {
  readonly index: number;
  readonly mac: string;
  readonly address: string;
}

interface Attached {
  readonly MacAddress: string;
  /** `10.42.0.5/24`. */
  readonly IPv4Address: string;
}

/** Routes to other nodes are looked at by the same hand. */
const PATIENCE_MS = 5_000;
/** sysfs(5). */
const DEVICES = "/sys/class/net";

export class DockerBridgePorts {
  readonly #engine: Engine;
  readonly #network: string;
  readonly #bridge: string;
  /** By container; one that is started again has another port. */
  #known: ReadonlyMap<string, ContainerPort> = new Map();

  constructor(engine: Engine, { network, bridge }: { readonly network: string; readonly bridge: string }) {
    this.#engine = engine;
    this.#network = network;
    this.#bridge = bridge;
  }

  async indexes(): Promise<readonly number[]> {
    const names = await readdir(join(DEVICES, this.#bridge, "brif")).catch(orNone<readonly string[]>([]));
    const indexes = await Promise.all(
      names.map((name) => readFile(join(DEVICES, name, "ifindex"), "utf8").catch(orNone(""))),
    );
    return indexes.flatMap((text) => (text === "" ? [] : Number(text))).sort((a, b) => a - b);
  }

  async pods(): Promise<readonly ContainerPort[]> {
    const there = new Set(await this.indexes());
    const found = await this.#attached();
    const ports = await Promise.all(
      Object.entries(found ?? {}).map(async ([id, attached]) => {
        const known = this.#known.get(id);
        const port = known && there.has(known.index) ? known : await this.#portOf(id, attached);
        return port === undefined ? [] : [[id, port] as const];
      }),
    );
    this.#known = new Map(ports.flat());
    return [...this.#known.values()].filter(({ index }) => there.has(index));
  }

  /** By name, the host's ends of its containers' cables, also of those that hang on nothing; undefined: there is no such network, or the engine does not say. */
  async cables(): Promise<readonly string[] | undefined> {
    try {
      const found = await this.#attached();
      const ports = await Promise.all(Object.entries(found ?? {}).map(([id, attached]) => this.#portOf(id, attached)));
      const indexes = new Set(ports.flatMap((port) => port?.index ?? []));
      return found && (await namesOf(indexes));
    } catch (error) {
      if (error instanceof DriverError || error instanceof EngineRefusal) return undefined;
      throw error;
    }
  }

  /** Undefined: there is no such network. */
  async #attached(): Promise<Readonly<Record<string, Attached>> | undefined> {
    try {
      const path = `/networks/${encodeURIComponent(this.#network)}`;
      return (
        (
          await this.#engine.call<{ Containers?: Record<string, Attached> | null }>({
            method: "GET",
            path,
            timeoutMs: PATIENCE_MS,
          })
        ).Containers ?? {}
      );
    } catch (error) {
      if (isRefusal(error, 404)) return undefined;
      throw error;
    }
  }

  /** Undefined: it has ended meanwhile. */
  async #portOf(id: string, { MacAddress, IPv4Address }: Attached): Promise<ContainerPort | undefined> {
    const pid = await this.#pidOf(id);
    if (!pid) return undefined;
    // Docker mounts it there anew for each container, so that it shows the container's devices.
    const devices = `/proc/${pid}/root${DEVICES}`;
    for (const name of await readdir(devices).catch(orNone<readonly string[]>([]))) {
      const [mac, index] = await Promise.all(
        ["address", "iflink"].map((file) => readFile(join(devices, name, file), "utf8").catch(orNone(""))),
      );
      if (mac?.trim() === MacAddress && index)
        return { index: Number(index), mac: MacAddress, address: IPv4Address.replace(/\/\d+$/, "") };
    }
    return undefined;
  }

  async #pidOf(id: string): Promise<number | undefined> {
    try {
      const path = `/containers/${id}/json`;
      return (await this.#engine.call<{ State: { Pid: number } }>({ method: "GET", path, timeoutMs: PATIENCE_MS }))
        .State.Pid;
    } catch (error) {
      if (isRefusal(error, 404)) return undefined;
      throw error;
    }
  }
}

async function namesOf(indexes: ReadonlySet<number>): Promise<readonly string[]> {
  const names = await readdir(DEVICES);
  const each = await Promise.all(
    names.map(async (name) => {
      const index = await readFile(join(DEVICES, name, "ifindex"), "utf8").catch(orNone(""));
      return index !== "" && indexes.has(Number(index)) ? [name] : [];
    }),
  );
  return each.flat().sort();
}

/** What is not there: a container, or its device, has gone. */
function orNone<T>(none: T): (error: NodeJS.ErrnoException) => T {
  return (error) => {
    if (["ENOENT", "ESRCH", "ENOTDIR", "EINVAL"].includes(error.code ?? "")) return none;
    throw error;
  };
}
