/**
 * Who has which port of this host's own addresses. What the host keeps for itself (sshd, the control plane, its own programs) no Service
 * gets, or whoever may write an app could take it; and of several Services that want the same one the oldest has it, on every node the
 * same, so that no new one takes it from one that runs.
 */
import type { Protocol, ServiceEntry } from "../../model/network.ts";

/** `tcp/10080`. */
export type PortKey = string;

export interface Dispute {
  readonly service: string;
  readonly key: PortKey;
  /** Why it does not have the port. */
  readonly words: string;
}

export function portKey(protocol: Protocol, port: number): PortKey {
  return `${protocol}/${port}`;
}

/** Whether `one` comes before `other`: older, and of two of one second the first by name. One whose age nobody knows is the youngest. */
export function isOlder(one: Pick<ServiceEntry, "id" | "since">, other: Pick<ServiceEntry, "id" | "since">): boolean {
  const [a, b] = [one.since ?? "~", other.since ?? "~"];
  return a === b ? one.id < other.id : a < b;
}

export class PortClaims {
  /** By port, everybody who wants it. */
  readonly #wanted = new Map<PortKey, Map<string, ServiceEntry>>();
  readonly #keysOf = new Map<string, readonly PortKey[]>();
  #kept: ReadonlyMap<PortKey, string> = new Map();

  /** What a Service wants from now on. Gives the others that are concerned. */
  put(id: string, service: ServiceEntry | undefined): ReadonlySet<string> {
    const before = this.#keysOf.get(id) ?? [];
    const keys = (service?.ports ?? []).flatMap(({ protocol, nodePort }) =>
      nodePort === undefined ? [] : [portKey(protocol, nodePort)],
    );
    const concerned = new Set([...before, ...keys].flatMap((key) => [...(this.#wanted.get(key)?.keys() ?? [])]));
    for (const key of before) this.#leave(id, key);
    this.#keysOf.delete(id);
    if (service === undefined || keys.length === 0) return concerned;
    this.#keysOf.set(id, keys);
    for (const key of keys) this.#wanted.set(key, (this.#wanted.get(key) ?? new Map()).set(id, service));
    return concerned;
  }

  /** What the host keeps, and why, from now on. Gives the Services that are concerned. */
  keep(kept: ReadonlyMap<PortKey, string>): ReadonlySet<string> {
    const other = [...this.#wanted.keys()].filter((key) => kept.get(key) !== this.#kept.get(key));
    this.#kept = kept;
    return new Set(other.flatMap((key) => [...(this.#wanted.get(key)?.keys() ?? [])]));
  }

  get wanted(): Iterable<PortKey> {
    return this.#wanted.keys();
  }

  /** The oldest that wants it, whether the host keeps it or not. */
  oldest(key: PortKey): ServiceEntry | undefined {
    let first: ServiceEntry | undefined;
    for (const service of this.#wanted.get(key)?.values() ?? [])
      if (first === undefined || isOlder(service, first)) first = service;
    return first;
  }

  /** With those of its ports at the host's addresses alone that it has here. */
  allowed(service: ServiceEntry): ServiceEntry {
    const ports = service.ports.map((port) => {
      const { nodePort, ...inside } = port;
      if (nodePort === undefined) return port;
      return this.#whyNot(service.id, portKey(port.protocol, nodePort)) === undefined ? port : inside;
    });
    return { ...service, ports };
  }

  /** Sorted; of all ports that somebody wants and does not have. */
  disputes(): readonly Dispute[] {
    const all = [...this.#wanted].flatMap(([key, services]) =>
      [...services.keys()].flatMap((service) => {
        const words = this.#whyNot(service, key);
        return words === undefined ? [] : { service, key, words };
      }),
    );
    return all.sort((a, b) => (`${a.key} ${a.service}` < `${b.key} ${b.service}` ? -1 : 1));
  }

  #whyNot(id: string, key: PortKey): string | undefined {
    const kept = this.#kept.get(key);
    if (kept !== undefined) return kept;
    const oldest = this.oldest(key);
    return oldest === undefined || oldest.id === id ? undefined : `${oldest.id} has it, which is older`;
  }

  #leave(id: string, key: PortKey): void {
    const services = this.#wanted.get(key);
    services?.delete(id);
    if (services?.size === 0) this.#wanted.delete(key);
  }
}
