import type { NetworkState } from "../plane/network-state.ts";
import type { Backend } from "./backend.ts";
import { backendServers } from "./backend-servers.ts";
import { assignSlots, type Slots } from "./slots.ts";

/** Which server of which backend is where. Looks at those services only that changed. */
export class Targets {
  #backends: ReadonlyMap<string, Backend> = new Map();
  #byService: ReadonlyMap<string, readonly Backend[]> = new Map();
  readonly #slots = new Map<string, Slots>();

  follow(backends: Iterable<Backend>): void {
    this.#backends = new Map([...backends].map((backend) => [backend.name, backend]));
    this.#byService = Map.groupBy(this.#backends.values(), ({ service }) => service);
    for (const name of [...this.#slots.keys()]) if (!this.#backends.has(name)) this.#slots.delete(name);
  }

  /** Names of the backends that changed, or all. `present`: what HAProxy has of one that is looked at for the first time. */
  look(
    state: NetworkState,
    services: ReadonlySet<string> | undefined,
    present: (name: string) => Slots,
  ): readonly string[] {
    const meant = services === undefined ? [...this.#backends.values()] : this.#of(services);
    for (const { name, service, port } of meant) {
      const before = this.#slots.get(name) ?? present(name);
      this.#slots.set(name, assignSlots(before, backendServers(state, service, port)));
    }
    return meant.map(({ name }) => name);
  }

  readonly slots = (name: string): Slots => this.#slots.get(name) ?? [];

  #of(services: ReadonlySet<string>): readonly Backend[] {
    // Of few services with routes and many that changed, or the other way round.
    if (services.size > this.#byService.size)
      return [...this.#byService].flatMap(([service, backends]) => (services.has(service) ? backends : []));
    return [...services].flatMap((service) => this.#byService.get(service) ?? []);
  }
}
