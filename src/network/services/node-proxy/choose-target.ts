/** Whose turn it is among the endpoints of one port: round robin, or the one that the same client had. */
import type { Clock } from "../../../seams/clock.ts";
import type { Target } from "../plan-service.ts";

/** Clients remembered for one port; the one that was silent longest is forgotten first. */
const MOST_CLIENTS = 10_000;

export class TargetChoice {
  readonly #clock: Clock;
  #targets: readonly Target[] = [];
  #affinityMs: number | undefined;
  #turn = 0;
  /** In the order of their last connections. */
  readonly #clients = new Map<string, { readonly key: string; readonly until: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  set(targets: readonly Target[], affinitySeconds: number | undefined): void {
    this.#targets = targets;
    this.#affinityMs = affinitySeconds === undefined ? undefined : affinitySeconds * 1000;
    if (affinitySeconds === undefined) this.#clients.clear();
  }

  /** In the order in which they are to be tried. */
  order(client: string): readonly Target[] {
    const { length } = this.#targets;
    if (length === 0) return [];
    const remembered = this.#remembered(client);
    const from = remembered >= 0 ? remembered : this.#turn++ % length;
    return [...this.#targets.slice(from), ...this.#targets.slice(0, from)];
  }

  /** The one that it was. */
  remember(client: string, target: Target): void {
    if (this.#affinityMs === undefined) return;
    this.#clients.delete(client);
    this.#clients.set(client, { key: keyOf(target), until: this.#clock.monotonic() + this.#affinityMs });
    const [oldest] = this.#clients.keys();
    if (this.#clients.size > MOST_CLIENTS && oldest !== undefined) this.#clients.delete(oldest);
  }

  #remembered(client: string): number {
    const known = this.#clients.get(client);
    if (known === undefined || known.until < this.#clock.monotonic()) return -1;
    return this.#targets.findIndex((target) => keyOf(target) === known.key);
  }
}

export function keyOf({ address, port }: Pick<Target, "address" | "port">): string {
  return `${address}:${port}`;
}
