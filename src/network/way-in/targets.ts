import type { NetworkState } from "../plane/network-state.ts";
import type { Backend } from "./backend.ts";
import { type BackendServer, backendServers } from "./backend-servers.ts";
import { type ClosedCopies, closedWords } from "./closed-copies.ts";
import type { WayInPlan } from "./plan.ts";
import { assignSlots, type Slots } from "./slots.ts";
import type { Unreached } from "./unreached.ts";
import type { WaysIn } from "./ways-in.ts";

/** Which server of which backend is where. Looks at those services only that changed. */
export class Targets {
  #backends: ReadonlyMap<string, Backend> = new Map();
  #byService: ReadonlyMap<string, readonly Backend[]> = new Map();
  readonly #slots = new Map<string, Slots>();
  readonly #waysIn: WaysIn;
  readonly #unreached: Unreached;
  /** Backend → why servers of it are none. */
  readonly #refused = new Map<string, string>();
  /** Backend → its copies that take no connections from here. */
  readonly #closed = new Map<string, ClosedCopies>();

  constructor(waysIn: WaysIn, unreached: Unreached) {
    this.#waysIn = waysIn;
    this.#unreached = unreached;
  }

  /** Servers that are none, and why. */
  get words(): readonly string[] {
    const troubles = [...this.#backends.keys()].flatMap((name) => {
      const why = this.#troubleOf(name);
      return why === undefined ? [] : `${this.#backends.get(name)?.source}: ${why}`;
    });
    return [...new Set(troubles)].sort();
  }

  /** The same of each route of a plan that leads there, by what it is found by. */
  troublesOf({ exact, prefix }: Pick<WayInPlan, "exact" | "prefix">): Readonly<Record<string, string>> | undefined {
    if (this.#refused.size + this.#closed.size === 0) return undefined;
    const led = [...exact, ...prefix].flatMap(([key, name]) => {
      const why = this.#troubleOf(name);
      return why === undefined ? [] : [[key, why] as const];
    });
    return Object.fromEntries(led);
  }

  follow(backends: Iterable<Backend>): void {
    this.#backends = new Map([...backends].map((backend) => [backend.name, backend]));
    this.#byService = Map.groupBy(this.#backends.values(), ({ service }) => service);
    for (const name of [...this.#slots.keys()]) {
      if (this.#backends.has(name)) continue;
      this.#slots.delete(name);
      this.#refused.delete(name);
      this.#closed.delete(name);
    }
  }

  has(backend: string): boolean {
    return this.#backends.has(backend);
  }

  /** Copies that take no connections from here. */
  get closed(): ReadonlySet<string> {
    return new Set([...this.#closed.values()].flatMap(({ places }) => [...places.keys()]));
  }

  /** Services of which one of these is a copy, or was. */
  servicesAt(places: ReadonlySet<string>): readonly string[] {
    return [...this.#backends.values()].flatMap(({ name, service }) =>
      this.slots(name).some((slot) => slot && places.has(`${slot.address}:${slot.port}`)) ? service : [],
    );
  }

  /** Names of the backends that changed, or all. `present`: what HAProxy has of one that is looked at for the first time. */
  look(
    state: NetworkState,
    services: ReadonlySet<string> | undefined,
    present: (name: string) => Slots,
  ): readonly string[] {
    const meant = services === undefined ? [...this.#backends.values()] : this.#of(services);
    for (const backend of meant) {
      const before = this.#slots.get(backend.name) ?? present(backend.name);
      this.#slots.set(backend.name, assignSlots(before, this.#serversOf(backend, state)));
    }
    return meant.map(({ name }) => name);
  }

  readonly slots = (name: string): Slots => this.#slots.get(name) ?? [];

  #serversOf({ name, service, port }: Backend, state: NetworkState): readonly BackendServer[] {
    const problems: string[] = [];
    const servers = backendServers(state, service, port).filter((server) => {
      const problem = this.#waysIn.problemOf(server);
      if (problem !== undefined) problems.push(problem);
      return problem === undefined;
    });
    if (problems.length > 0) this.#refused.set(name, problems.join(", "));
    else this.#refused.delete(name);
    return this.#open(name, servers, state);
  }

  /** Without those that take no connections from here, while there are others: it may be this host's own fault. */
  #open(name: string, servers: readonly BackendServer[], state: NetworkState): readonly BackendServer[] {
    this.#closed.delete(name);
    if (this.#unreached.size === 0) return servers;
    const on = servers.filter((server) => server.state === "on");
    const places = new Map(
      on.flatMap((server) => {
        const why = this.#unreached.whyNot(server);
        return why === undefined ? [] : [[`${server.address}:${server.port}`, why] as const];
      }),
    );
    if (places.size === 0) return servers;
    this.#closed.set(name, { places, of: on.length, from: state.nodeName, address: state.self?.address ?? "it" });
    if (places.size === on.length) return servers;
    return servers.map((server) =>
      places.has(`${server.address}:${server.port}`) ? { ...server, state: "off" } : server,
    );
  }

  #troubleOf(name: string): string | undefined {
    const closed = this.#closed.get(name);
    const words = [this.#refused.get(name), closed && closedWords(closed)].filter((each) => each !== undefined);
    return words.length === 0 ? undefined : words.join("; ");
  }

  #of(services: ReadonlySet<string>): readonly Backend[] {
    // Of few services with routes and many that changed, or the other way round.
    if (services.size > this.#byService.size)
      return [...this.#byService].flatMap(([service, backends]) => (services.has(service) ? backends : []));
    return [...services].flatMap((service) => this.#byService.get(service) ?? []);
  }
}
