import { disruptionOf } from "../../model/disruption.ts";
import type { Heartbeat } from "../../model/heartbeat.ts";
import { nodes } from "../../model/node.ts";
import { isTerminal } from "../../model/pod.ts";
import type { Store } from "../../store/store.ts";
import type { Change } from "../../store/transaction.ts";
import { type Checker, SimFailure, type World } from "../contract.ts";
import { podChanges, podWords } from "./pod-book.ts";

/** A node that was heard so lately can be asked. */
const HEARD_WITHIN_MS = 3_000;

export class GoneMeansStopped implements Checker {
  readonly rule = "gone-means-stopped";
  readonly words =
    "A pod leaves the store only when nothing of it runs any more, unless its node is lost: who is told that it is gone can rely on that.";
  judgements = 0;
  readonly #heardMs = new Map<string, number>();
  #world: Pick<World, "clock" | "hosts"> | undefined;

  begin(world: Pick<World, "clock" | "hosts">): void {
    this.#world = world;
  }

  heard({ node }: Heartbeat): void {
    this.#heardMs.set(node, this.#world?.clock.monotonic() ?? 0);
  }

  committed(changes: readonly Change[], store: Store): void {
    for (const { before, after } of podChanges(changes)) {
      const { nodeName } = before?.spec ?? {};
      if (after || !before || nodeName === undefined || isTerminal(before) || disruptionOf(before)) continue;
      if (!store.get(nodes, nodeName) || !this.#isHeard(nodeName)) continue;
      this.judgements++;
      const runs = this.#world?.hosts.get(nodeName)?.machine.runs.values() ?? [];
      const running = [...runs].find(
        ({ observed }) => observed.state === "running" && observed.ref.podUid === before.metadata.uid,
      );
      if (running)
        throw new SimFailure(
          this.rule,
          `${podWords(before)} has left the store, and ${running.observed.ref.container} of it runs on ${nodeName}`,
        );
    }
  }

  #isHeard(node: string): boolean {
    const nowMs = this.#world?.clock.monotonic() ?? 0;
    return nowMs - (this.#heardMs.get(node) ?? Number.NEGATIVE_INFINITY) <= HEARD_WITHIN_MS;
  }
}
