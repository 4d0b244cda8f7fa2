/** Moves that a person asks for: drain and rebalance. */
import { isReady } from "../../model/pod.ts";
import type { Observer } from "../contract.ts";
import { evenCluster } from "../draw/cluster.ts";
import { cordon, drain, rebalance, uncordon } from "../draw/own-api.ts";
import { define } from "./define.ts";
import type { Stage } from "./stage.ts";
import { exclusive, replicated } from "./workloads.ts";

export const drained = define(
  "drain",
  "a drained node is left by every pod, successors first: the number of ready copies never falls",
  evenCluster(4),
  async (stage) => {
    await stage.deploy("web", 8, replicated("web", 8));
    await stage.deploy("one", 1, exclusive("one"));
    const floor = keepFloor(stage, "web", 8);
    await stage.ask(drain("n001"));
    await isEmpty(stage, "n001", 120_000);
    await stage.ready("web", 8);
    await stage.ready("one", 1);
    floor.end();
    await stage.run(30_000);
    stage.expect(stage.node("n001").spec.unschedulable === true, "it stays cordoned until somebody uncordons it");
    await stage.ask(uncordon("n001"));
  },
);

export const drainFloor = define(
  "drain-floor",
  "two nodes drained at once, and room for one successor at a time: copies are ready as many as before, always",
  evenCluster(4, 1, 1_000),
  async (stage) => {
    await stage.deploy("web", 4, replicated("web", 4, { cpu: "600m" }));
    // One node is taken by another workload, so that there is one free place only once this goes.
    const floor = keepFloor(stage, "web", 4);
    await stage.ask(drain("n001"));
    await stage.ask(drain("n002"));
    await stage.run(60_000);
    stage.expect(
      stage.podsOn("n001", "web").length + stage.podsOn("n002", "web").length === 2,
      "without room nothing goes",
    );
    floor.end();
    await stage.ask(uncordon("n001"));
    await stage.ask(uncordon("n002"));
    await stage.ready("web", 4, 60_000);
  },
);

export const drainDeadline = define(
  "drain-deadline",
  "what cannot be moved is stopped at the deadline, not before",
  evenCluster(2, 1, 1_000),
  async (stage) => {
    await stage.deploy("web", 2, replicated("web", 2, { cpu: "600m" }));
    await stage.ask(drain("n001", { deadlineMs: 30_000 }));
    await stage.run(25_000);
    stage.expect(stage.readyCount("web") === 2, "until the deadline both are ready", stage.readyCount("web"));
    await isEmpty(stage, "n001", 30_000);
  },
);

export const rebalanced = define(
  "rebalance",
  "9/0/0 becomes 3/3/3 within the budget, successors first, and only because somebody asked",
  evenCluster(3),
  async (stage) => {
    for (const name of ["n002", "n003"]) await stage.ask(cordon(name));
    await stage.deploy("web", 9, replicated("web", 9));
    for (const name of ["n002", "n003"]) await stage.ask(uncordon(name));
    const sinceMs = stage.nowMs;
    await stage.run(120_000);
    stage.expectNoMoves(sinceMs, "without being asked");
    const floor = keepFloor(stage, "web", 9);
    await stage.ask(rebalance({ budget: 6 }));
    const spread = () => ["n001", "n002", "n003"].map((name) => stage.podsOn(name, "web").length).join("/");
    await stage.until("it is 3/3/3", () => spread() === "3/3/3", 180_000, spread);
    await stage.ready("web", 9);
    floor.end();
    stage.expect(
      stage.ledger.movesSince(sinceMs).length === 6,
      "with 6 moves",
      stage.ledger.movesSince(sinceMs).length,
    );
  },
);

async function isEmpty(stage: Stage, node: string, withinMs: number): Promise<void> {
  const left = () => stage.podsOn(node).map(({ metadata }) => metadata.name);
  await stage.until(
    `${node} is empty`,
    () => left().length === 0,
    withinMs,
    () => left().join(" "),
  );
}

/** At every commit at least so many copies are ready. */
function keepFloor(stage: Stage, workload: string, floor: number): { end(): void } {
  let isOver = false;
  const observer: Observer = {
    committed() {
      if (isOver) return;
      const ready = stage.pods(workload).filter(isReady).length;
      stage.expect(ready >= floor, `at least ${floor} copies of ${workload} are ready at any time`, ready);
    },
  };
  stage.world.observe(observer);
  return {
    end() {
      isOver = true;
    },
  };
}
