import type { Dialer } from "../../seams/link.ts";
import type { Random } from "../../seams/random.ts";

/**
 * The servers of the cluster in the order in which they are dialed: the one that was reached last first, then by chance, so
 * that the agents of a server that is lost spread over the others; one that did not answer goes to the end. The list
 * changes as the cluster does.
 */
export class Servers {
  readonly #random: Random;
  readonly #dialerTo: (server: string) => Dialer;
  #order: readonly { readonly server: string; readonly dialer: Dialer }[] = [];
  #reached: string | undefined;

  /** `first`: the one to begin with. */
  constructor(servers: readonly string[], random: Random, dialerTo: (server: string) => Dialer, first?: string) {
    this.#random = random;
    this.#dialerTo = dialerTo;
    this.set(servers);
    if (first !== undefined) this.#move(first, "first");
  }

  /** Those that were known keep their places; new ones come after them. */
  set(servers: readonly string[]): void {
    const kept = this.#order.filter(({ server }) => servers.includes(server));
    const known = new Set(kept.map(({ server }) => server));
    const added = [...new Set(servers)].filter((server) => !known.has(server)).toSorted();
    const drawn = shuffled(added, this.#random).map((server) => ({ server, dialer: this.#watched(server) }));
    this.#order = [...kept, ...drawn];
  }

  get list(): readonly string[] {
    return this.#order.map(({ server }) => server).toSorted();
  }

  /** For one round of attempts. */
  get dialers(): readonly Dialer[] {
    return this.#order.map(({ dialer }) => dialer);
  }

  /** The one that was reached last. */
  get reached(): string | undefined {
    return this.#reached;
  }

  #watched(server: string): Dialer {
    const dialer = this.#dialerTo(server);
    return {
      dial: async (listener, signal) => {
        try {
          const link = await dialer.dial(listener, signal);
          this.#reached = server;
          this.#move(server, "first");
          return link;
        } catch (error) {
          this.#move(server, "last");
          throw error;
        }
      },
    };
  }

  #move(server: string, to: "first" | "last"): void {
    const it = this.#order.filter((each) => each.server === server);
    const others = this.#order.filter((each) => each.server !== server);
    this.#order = to === "first" ? [...it, ...others] : [...others, ...it];
  }
}

/** Fisher and Yates. */
function shuffled<T>(items: readonly T[], random: Random): readonly T[] {
  const all = [...items];
  for (let last = all.length - 1; last > 0; last--) {
    const at = random.int(last + 1);
    [all[last], all[at]] = [all[at] as T, all[last] as T];
  }
  return all;
}
