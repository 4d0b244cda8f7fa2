import { type Checker, type DriverCall, SimFailure, type World } from "../contract.ts";

/** What kept an agent from stopping a pod itself may be over by the time the guard comes. */
const EXCUSED_MS = 120_000;

export class GuardIsLast implements Checker {
  readonly rule = "guard-is-last";
  readonly words =
    "The guard of exclusive pods kills only where the agent could not stop them itself: it was dead, or its engine, disk or host stood still.";
  judgements = 0;
  readonly #excusedMs = new Map<string, number>();
  #world: Pick<World, "clock" | "hosts"> | undefined;

  begin(world: Pick<World, "clock" | "hosts">): void {
    this.#world = world;
  }

  /** Everything that is done to one host begins with its name. */
  fault(text: string): void {
    const host = /^(\S+): /.exec(text)?.[1];
    const ms = Number(/for (\d+) ms/.exec(text)?.[1] ?? 0);
    if (host !== undefined) this.#excusedMs.set(host, (this.#world?.clock.monotonic() ?? 0) + ms + EXCUSED_MS);
  }

  driver({ what, host, podUid, container }: DriverCall): void {
    if (what === "running") this.judgements++;
    if (what !== "guard-kill") return;
    const nowMs = this.#world?.clock.monotonic() ?? 0;
    const isAgentUp = this.#world?.hosts.get(host)?.isAgentUp ?? true;
    if (!isAgentUp || nowMs < (this.#excusedMs.get(host) ?? Number.NEGATIVE_INFINITY)) return;
    throw new SimFailure(this.rule, `the guard of ${host} killed ${container} of ${podUid}, and its agent was well`);
  }
}
