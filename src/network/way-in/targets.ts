import type { NetworkState } from "../plane/network-state.ts";
import type { Backend } from "./backend.ts";
import { type BackendServer, backendServers } from "./backend-servers.ts";
import type { WayInPlan } from "./plan.ts";
import { assignSlots, type Slots } from "./slots.ts";
import type { WaysIn } from "./ways-in.ts";

/** Which server of which backend is where. Looks at those services only that changed. */
export class Targets {
  #backends: ReadonlyMap<string, Backend> = new Map();
  #byService: ReadonlyMap<string, readonly Backend[]> = new Map();
  readonly #slots = new Map<string, Slots>();
  readonly #waysIn: WaysIn;
  /** Backend → why servers of it are none. */
  readonly #refused = new Map<string, string>();

  constructor(waysIn: WaysIn) {
    this.#waysIn = waysIn;
  }

  /** Servers that are none, and why. */
  get words(): readonly string[] {
    return [...new Set([...this.#refused].map(([name, why]) => `${this.#backends.get(name)?.source}: ${why}`))].sort();
  }

  /** The same of each route of a plan that leads there, by what it is found by. */
  troublesOf({ exact, prefix }: Pick<WayInPlan, "exact" | "prefix">): Readonly<Record<string, string>> | undefined {
    if (this.#refused.size === 0) return undefined;
    const led = [...exact, ...prefix].flatMap(([key, name]) => {
      const why = this.#refused.get(name);
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
    }
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
    return servers;
  }

  #of(services: ReadonlySet<string>): readonly Backend[] {
    // Of few services with routes and many that changed, or the other way round.
    if (services.size > this.#byService.size)
      return [...this.#byService].flatMap(([service, backends]) => (services.has(service) ? backends : []));
    return [...services].flatMap((service) => this.#byService.get(service) ?? []);
  }
}
