/** Whose the ports of the pods' bridge are: the engine says which containers have which addresses, and the kernel which cable is whose. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { CommandError, type Commands, CommandUnfinished } from "../../seams/commands.ts";
import { DriverError } from "../driver.ts";
import { within } from "../within.ts";
import { type Engine, EngineRefusal } from "./engine.ts";
import { innerLinks } from "./inner-links.ts";
import { Limiter } from "./limiter.ts";
import { isRefusal } from "./refusal.ts";
import { SingleFlight } from "./single-flight.ts";

export interface ContainerPort {
  readonly index: number;
  readonly mac: string;
  readonly address: string;
}

export interface BridgePortsOptions {
  readonly network: string;
  readonly bridge: string;
  readonly commands: Commands;
}

/** Names of the host's devices, by number. */
type Devices = ReadonlyMap<number, string>;

interface Attached {
  readonly Name?: string;
  readonly MacAddress: string;
  /** `10.42.0.5/24`. */
  readonly IPv4Address: string;
}

interface Inspected {
  readonly State: { readonly Pid: number };
  readonly NetworkSettings?: { readonly SandboxKey?: string };
}

/** Routes to other nodes are looked at by the same hand. */
const PATIENCE_MS = 5_000;
/** So long a look waits for answers about single containers; those that come later count at the next look. */
const LOOK_MS = 1_000;
/** Programs at once: at its start an agent asks for every container of the host. */
const WIDTH = 4;
/** sysfs(5). The host's own: nobody else writes it. */
const DEVICES = "/sys/class/net";

export class DockerBridgePorts {
  readonly #engine: Engine;
  readonly #options: BridgePortsOptions;
  /** By container; one that is started again has another port. */
  readonly #known = new Map<string, ContainerPort>();
  /** Why it is not known, by container. */
  readonly #unknown = new Map<string, string>();
  /** Containers whose ports are laid before they begin. */
  readonly #coming = new Set<string>();
  readonly #asked = new SingleFlight<ContainerPort | undefined>();
  readonly #width = new Limiter(WIDTH);

  constructor(engine: Engine, options: BridgePortsOptions) {
    this.#engine = engine;
    this.#options = options;
  }

  async indexes(): Promise<readonly number[]> {
    return [...(await this.#ports()).keys()].sort((a, b) => a - b);
  }

  /** What is known within a bounded time, whatever some container's answer takes. Rejects when nothing could be known of any. */
  async pods(): Promise<readonly ContainerPort[]> {
    const there = await this.#ports();
    const found = Object.entries((await this.#attached()) ?? {});
    const ids = new Set(found.map(([id]) => id));
    for (const id of [...this.#known.keys(), ...this.#unknown.keys(), ...this.#coming])
      if (!ids.has(id)) this.#forget(id);
    const missing = found.filter(([id, attached]) => !isSame(this.#known.get(id), attached, there));
    for (const [id] of missing) this.#known.delete(id);
    await within(Promise.all(missing.map(([id, attached]) => this.#learn(id, attached, there))), LOOK_MS);
    return onlyOnce([...this.#known.values()].filter(({ index }) => there.has(index)));
  }

  /** In words, containers of which the engine says that they are on the bridge and the kernel not at which port. */
  strangers(): readonly string[] {
    return [...this.#unknown.values()].sort();
  }

  /** Whether the engine is about to start some container there. */
  isComing(): boolean {
    return this.#coming.size > 0;
  }

  /** By name, the host's ends of its containers' cables, also of those that hang on nothing; undefined: there is no such network, or the engine does not say. */
  async cables(): Promise<readonly string[] | undefined> {
    try {
      const [found, devices] = [await this.#attached(), await namesOf(await readdir(DEVICES))];
      const all = Object.entries(found ?? {}).map(([id, attached]) => this.#portOf(id, attached, devices));
      const ports = onlyOnce((await Promise.all(all)).flatMap((port) => port ?? []));
      return found && ports.flatMap(({ index }) => devices.get(index) ?? []).sort();
    } catch (error) {
      if (error instanceof DriverError || error instanceof EngineRefusal || error instanceof CommandError)
        return undefined;
      throw error;
    }
  }

  async #ports(): Promise<Devices> {
    const folder = join(DEVICES, this.#options.bridge, "brif");
    return await namesOf(await readdir(folder).catch(orNone<readonly string[]>([])));
  }

  #forget(id: string): void {
    this.#known.delete(id);
    this.#unknown.delete(id);
    this.#coming.delete(id);
  }

  /** Undefined: there is no such network. */
  async #attached(): Promise<Readonly<Record<string, Attached>> | undefined> {
    type Network = { readonly Containers?: Record<string, Attached> | null };
    const path = `/networks/${encodeURIComponent(this.#options.network)}`;
    try {
      return (await this.#engine.call<Network>({ method: "GET", path, timeoutMs: PATIENCE_MS })).Containers ?? {};
    } catch (error) {
      if (isRefusal(error, 404)) return undefined;
      throw error;
    }
  }

  /** Rejects only where the host does not let anybody be asked. */
  async #learn(id: string, attached: Attached, devices: Devices): Promise<void> {
    const who = `${attached.Name ?? id.slice(0, 12)} (${addressOf(attached)})`;
    if (!this.#unknown.has(id)) this.#unknown.set(id, who);
    try {
      const port = await this.#asked.run(id, () => this.#portOf(id, attached, devices));
      this.#unknown.set(id, who);
      if (port === undefined) return;
      this.#known.set(id, port);
      this.#unknown.delete(id);
    } catch (error) {
      if (error instanceof CommandError && !(error instanceof CommandUnfinished)) throw error;
      this.#unknown.set(id, `${who}: ${(error as Error).message}`);
    }
  }

  /** Undefined: it has ended meanwhile, or has not begun. */
  async #portOf(id: string, attached: Attached, devices: Devices): Promise<ContainerPort | undefined> {
    const places = await this.#placesOf(id);
    const links = (await this.#width.run(() => innerLinks(this.#options.commands, places))) ?? [];
    // A container may have been given the right to make devices, of any number: the host's has to say so, too.
    for (const { index, mac, peer } of links)
      if (mac === attached.MacAddress && (await peerOf(devices.get(peer))) === index)
        return { index: peer, mac, address: addressOf(attached) };
    return undefined;
  }

  /** Of its network namespace; Docker's own name first, which the container cannot leave for another. */
  async #placesOf(id: string): Promise<readonly string[]> {
    try {
      const request = { method: "GET", path: `/containers/${id}/json`, timeoutMs: PATIENCE_MS } as const;
      const { State, NetworkSettings } = await this.#engine.call<Inspected>(request);
      if (!State.Pid) return this.#comes(id);
      this.#coming.delete(id);
      return [NetworkSettings?.SandboxKey || [], `/proc/${State.Pid}/ns/net`].flat();
    } catch (error) {
      if (isRefusal(error, 404)) return this.#comes(id);
      throw error;
    }
  }

  #comes(id: string): readonly string[] {
    this.#coming.add(id);
    return [];
  }
}

function addressOf({ IPv4Address }: Attached): string {
  return IPv4Address.replace(/\/\d+$/, "");
}

function isSame(known: ContainerPort | undefined, attached: Attached, there: Devices): boolean {
  const isThat = known?.mac === attached.MacAddress && known.address === addressOf(attached);
  return known !== undefined && isThat && there.has(known.index);
}

/** A port that two say is theirs is nobody's: one of them may have made devices of its own. */
function onlyOnce(ports: readonly ContainerPort[]): readonly ContainerPort[] {
  const claims = Map.groupBy(ports, ({ index }) => index);
  return ports.filter(({ index }) => claims.get(index)?.length === 1);
}

/** By number; of the host's devices of these names, those that are still there. */
async function namesOf(names: readonly string[]): Promise<Devices> {
  const each = await Promise.all(names.map(async (name) => [await numberIn(name, "ifindex"), name] as const));
  return new Map(each.flatMap(([index, name]) => (index === undefined ? [] : [[index, name] as const])));
}

async function peerOf(name: string | undefined): Promise<number | undefined> {
  return name === undefined ? undefined : await numberIn(name, "iflink");
}

async function numberIn(name: string, file: "ifindex" | "iflink"): Promise<number | undefined> {
  const text = await readFile(join(DEVICES, name, file), "utf8").catch(orNone(""));
  return text === "" ? undefined : Number(text);
}

/** What is not there: a device has gone. */
function orNone<T>(none: T): (error: NodeJS.ErrnoException) => T {
  return (error) => {
    if (["ENOENT", "ESRCH", "ENOTDIR", "EINVAL"].includes(error.code ?? "")) return none;
    throw error;
  };
}
