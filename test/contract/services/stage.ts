/** Two hosts with pods, routes between them, and the rules of Services on both; a third host is outside. */
import type { ChildProcess } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type {
  EndpointEntry,
  EndpointsEntry,
  NetworkEntry,
  NetworkEntryKind,
  ServiceEntry,
} from "../../../src/model/network.ts";
import { NetworkState } from "../../../src/network/plane/network-state.ts";
import { Touched } from "../../../src/network/plane/touched.ts";
import type { Firewall } from "../../../src/network/services/firewall.ts";
import { ServicesPart } from "../../../src/network/services/services-part.ts";
import { SystemClock } from "../../../src/seams/clock.ts";
import type { Commands } from "../../../src/seams/commands.ts";
import { silentLog } from "../../../src/seams/log.ts";
import { type NetPlace, type NetSpace, openNetSpace } from "../../harness/net-space.ts";

export const NETWORK = "styr-rules";
const SERVICE_RANGE = "10.96.0.0/12";

export interface Side {
  readonly name: string;
  readonly state: NetworkState;
  readonly part: ServicesPart;
}

export class Stage {
  readonly space: NetSpace;
  readonly pods: Readonly<Record<"client" | "one" | "two" | "far" | "farClient", NetPlace>>;
  readonly outside: NetPlace;
  readonly sides: Side[];
  readonly podRange: string;
  /** The control plane's. */
  servers: readonly string[] = [];
  readonly #make: ((commands: Commands) => Firewall) | undefined;

  constructor(make?: (commands: Commands) => Firewall) {
    this.#make = make;
    this.space = openNetSpace({ hosts: 3 });
    const [near, far] = [this.space.host(1), this.space.host(2)];
    this.pods = {
      ...{ client: near.addPod(5), one: near.addPod(6), two: near.addPod(7) },
      ...{ far: far.addPod(6), farClient: far.addPod(5) },
    };
    this.outside = this.space.host(3);
    this.podRange = near.podRange.replace(/\.\d+\.0\/24$/, ".0.0/16");
    near.run("ip", ["route", "add", far.podRange, "via", far.address]);
    far.run("ip", ["route", "add", near.podRange, "via", near.address]);
    this.sides = [1, 2].map((n) => this.#sideOf(n));
  }

  #sideOf(n: number): Side {
    const { commands } = this.space.host(n);
    const firewall = this.#make?.(commands);
    const part = new ServicesPart({
      ...{ commands, clock: new SystemClock(), log: silentLog, networkName: NETWORK, bridge: "pods" },
      ...(firewall === undefined ? {} : { firewall }),
      lookEveryMs: 300,
      servers: () => this.servers,
    });
    return { name: `n${n}`, state: new NetworkState(`n${n}`), part };
  }

  /** As after a restart of the agent: it knows nothing, and hears everything. */
  async restart(n: number): Promise<Side> {
    const old = this.sides[n - 1];
    await old?.part.stop();
    const side = this.#sideOf(n);
    this.sides[n - 1] = side;
    return side;
  }

  cluster(): readonly NetworkEntry[] {
    const nodes = [1, 2].map((n): NetworkEntry => {
      const { address, podRange } = this.space.host(n);
      return { kind: "node", id: `n${n}`, address, podRange, zone: `z${n}` };
    });
    const { podRange } = this;
    return [
      { kind: "cluster", id: "cluster", podRange, serviceRange: SERVICE_RANGE, domain: "cluster.local", mode: "auto" },
      ...nodes,
    ];
  }

  /** Everything anew, with these. */
  async all(...entries: readonly NetworkEntry[]): Promise<void> {
    await this.#tell({ type: "all", revision: 1, entries: [...this.cluster(), ...entries] });
  }

  async change(...entries: readonly NetworkEntry[]): Promise<void> {
    await this.#tell({ type: "changed", revision: 2, entries, removed: [] });
  }

  async take(kind: NetworkEntryKind, id: string): Promise<void> {
    await this.#tell({ type: "changed", revision: 2, entries: [], removed: [{ kind, id }] });
  }

  async lose(node: string, isLost: boolean): Promise<void> {
    for (const { state, part } of this.sides) {
      const touched = new Touched();
      state.setLost(node, isLost, touched);
      await part.apply(state, touched);
    }
  }

  async #tell(news: Parameters<NetworkState["hear"]>[0]): Promise<void> {
    for (const { state, part } of this.sides) {
      const touched = new Touched();
      state.hear(news, touched);
      await part.apply(state, touched);
    }
  }

  endpoint(pod: NetPlace, more: Partial<EndpointEntry> = {}): EndpointEntry {
    const n = pod.address === this.pods.far.address || pod.address === this.pods.farClient.address ? 2 : 1;
    return { address: pod.address, state: "ready", node: `n${n}`, zone: `z${n}`, ...more };
  }

  /** A server that answers with `name` and its client's address. */
  async answer(place: NetPlace, name: string, ...ports: readonly number[]): Promise<ChildProcess> {
    const argv = [script("answerer.ts"), name, place.address, ...ports.map(String)];
    const child = place.spawn(`answer-${name}`, [process.execPath, ...argv]);
    const listens = (port: number) => place.run("ss", ["-Hltn", "sport", "=", `:${port}`]).output.includes("LISTEN");
    await until(
      () => ports.every(listens),
      () => `${name} to listen at ${ports.join(", ")}`,
    );
    return child;
  }

  /** What each of `times` connections got. */
  dial(
    from: NetPlace,
    protocol: "tcp" | "udp",
    address: string,
    port: number,
    times = 1,
    localPort = 0,
  ): readonly string[] {
    const argv = [script("dialer.ts"), protocol, address, String(port), String(times), String(localPort)];
    return from.run(process.execPath, argv).output.trim().split("\n");
  }

  /** A connection that goes on. `answers`: waits for some more, and gives all so far. */
  hold(from: NetPlace, address: string, port: number): { answers(more: number): Promise<readonly string[]> } {
    const name = `hold-${port}-${Math.trunc(performance.now())}`;
    from.spawn(name, [process.execPath, script("dialer.ts"), "hold", address, String(port)]);
    const lines = () =>
      readFileSync(join(this.space.dir, `${name}.log`), "utf8")
        .split("\n")
        .slice(0, -1);
    return {
      answers: async (more) => {
        const wanted = lines().length + more;
        await until(
          () => lines().length >= wanted,
          () => `${more} more answers; there are ${lines().join("; ")}`,
        );
        return lines();
      },
    };
  }

  async close(): Promise<void> {
    for (const { part } of this.sides) await part.stop();
    this.space.close();
  }
}

export function service(id: string, more: Partial<ServiceEntry> = {}): ServiceEntry {
  return {
    ...{ kind: "service", id, addresses: ["10.96.0.10"], externalTraffic: "cluster", internalTraffic: "cluster" },
    ports: [{ name: "http", protocol: "tcp", port: 80 }],
    ...more,
  };
}

export function endpoints(of: ServiceEntry, list: readonly EndpointEntry[], port = 8080): EndpointsEntry {
  const ports = of.ports.map(({ name, protocol }) => ({ name, protocol, port }));
  return { kind: "endpoints", id: `${of.id}-1`, service: of.id, ports, endpoints: list };
}

/** Who answered, sorted, each once. */
export function names(lines: readonly string[]): readonly string[] {
  return [...new Set(lines.map((line) => line.split(" ")[0] ?? ""))].sort();
}

export async function until(check: () => boolean, missing: () => string, withinMs = 10_000): Promise<void> {
  const deadline = Date.now() + withinMs;
  while (!check()) {
    if (Date.now() > deadline) throw new Error(`waited ${withinMs} ms for ${missing()}`);
    await sleep(20);
  }
}

function script(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url));
}
