import type { Store } from "../../store/store.ts";
import type { Change } from "../../store/transaction.ts";
import { type Checker, type DriverCall, SimFailure, type World } from "../contract.ts";

export class DeadProcess implements Checker {
  readonly rule = "dead-process";
  readonly words =
    "What is dead does nothing: no commit without a control plane, no call to a driver without an agent.";
  judgements = 0;
  #world: Pick<World, "server" | "hosts"> | undefined;

  begin(world: Pick<World, "server" | "hosts">): void {
    this.#world = world;
  }

  committed(changes: readonly Change[], store: Store): void {
    if (!this.#world) return;
    this.judgements++;
    const { isUp, store: present } = this.#world.server;
    if (!isUp || (present !== undefined && present !== store))
      throw new SimFailure(this.rule, `a control plane that is dead committed revision ${changes.at(-1)?.revision}`);
  }

  driver({ host, what, podUid }: DriverCall): void {
    if (!this.#world || (what !== "start" && what !== "stop" && what !== "remove")) return;
    this.judgements++;
    const there = this.#world.hosts.get(host);
    if (there && (!there.isOn || !there.isAgentUp))
      throw new SimFailure(this.rule, `${host} has no agent, and one asked its driver to ${what} ${podUid}`);
  }
}
