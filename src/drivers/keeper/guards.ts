import { setTimeout as delay } from "node:timers/promises";

/** What the keeper is asked to kill unless it is asked again in time. */
export interface GuardOrder {
  /** Which driver asks: each has its own guard. */
  readonly owner: string;
  /** Below the mount of a hierarchy: `styrmann/<podUid>`. Empty: nothing is watched over any more. */
  readonly cgroups: readonly string[];
  /** Of this host's clock since boot (process.hrtime), so that an order that arrives late does not last longer. */
  readonly atUptimeMs: number;
}

/** What is started in there afterwards all the same is killed within this time. */
const AGAIN_MS = 100;
const LONGEST_WAIT_MS = 3_600_000;

/**
 * Pods of which there may be one only end here when their agent is dead or stands still: at the time it named last.
 * From then on nothing runs in their cgroups until the agent is heard again, so that an engine that hung in the middle
 * of a start does not bring one back.
 */
export class Guards {
  readonly #kill: (cgroup: string) => boolean;
  readonly #report: (message: string) => void;
  readonly #orders = new Map<string, GuardOrder>();

  /** `kill` says whether there was anything to kill. */
  constructor(kill: (cgroup: string) => boolean, report: (message: string) => void) {
    this.#kill = kill;
    this.#report = report;
  }

  set(order: GuardOrder): void {
    if (order.cgroups.length === 0) this.#orders.delete(order.owner);
    else this.#orders.set(order.owner, order);
    void this.#watch(order);
  }

  /** Whether nothing may run there now. */
  bars(cgroup: string): boolean {
    return [...this.#orders.values()].some(
      ({ cgroups, atUptimeMs }) =>
        atUptimeMs <= uptimeMs() && cgroups.some((each) => cgroup === each || cgroup.startsWith(`${each}/`)),
    );
  }

  async #watch(order: GuardOrder): Promise<void> {
    while (this.#orders.get(order.owner) === order) {
      const leftMs = order.atUptimeMs - uptimeMs();
      if (leftMs <= 0) for (const cgroup of order.cgroups) this.#enforce(cgroup);
      await delay(leftMs > 0 ? Math.min(leftMs, LONGEST_WAIT_MS) : AGAIN_MS, undefined, { ref: false });
    }
  }

  #enforce(cgroup: string): void {
    try {
      if (this.#kill(cgroup)) this.#report(`killed ${cgroup}: its agent has not been heard of in time`);
    } catch (error) {
      this.#report(`Error: cannot kill ${cgroup}: ${(error as Error).message}`);
    }
  }
}

/** Of the same clock for every process of the host. */
export function uptimeMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
