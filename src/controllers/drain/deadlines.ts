import type { NodeDrain } from "../../model/node-drain.ts";
import type { Clock } from "../../seams/clock.ts";

interface Known {
  readonly uid: string;
  readonly deadline: string;
  readonly atMonotonicMs: number;
}

/**
 * How long drains have left. A deadline is written down as a time of day, which may jump; what is left of it is taken
 * from there once, when this process first sees it, and then kept on a clock that does not.
 */
export class Deadlines {
  readonly #clock: Pick<Clock, "monotonic">;
  /** By the name of the node. */
  readonly #known = new Map<string, Known>();

  constructor(clock: Pick<Clock, "monotonic">) {
    this.#clock = clock;
  }

  /** Undefined without a deadline; 0 or less when it has come. */
  leftMs({ metadata, spec }: NodeDrain, nowMs: number): number | undefined {
    const { name, uid } = metadata;
    const { deadline } = spec;
    if (deadline === undefined) return undefined;
    const monotonicMs = this.#clock.monotonic();
    let known = this.#known.get(name);
    if (known?.uid !== uid || known.deadline !== deadline) {
      known = { uid, deadline, atMonotonicMs: monotonicMs + Date.parse(deadline) - nowMs };
      this.#known.set(name, known);
    }
    return known.atMonotonicMs - monotonicMs;
  }

  forget(name: string): void {
    this.#known.delete(name);
  }
}
