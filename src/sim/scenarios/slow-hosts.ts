/** Slow is not dead. */
import { isNodeReady } from "../../model/node.ts";
import { evenCluster } from "../draw/cluster.ts";
import { define } from "./define.ts";
import type { Stage } from "./stage.ts";
import { checked, probed, replicated } from "./workloads.ts";

export const ioStall = define(
  "io-stall",
  "a host's disk stands still for a minute: it says so, nothing moves, nothing stops",
  evenCluster(3),
  async (stage) => {
    await stage.deploy("web", 6, replicated("web", 6));
    await stage.run(5_000);
    const sinceMs = stage.nowMs;
    stage.host("n002").stallIo(60_000);
    await saysSo(stage, "n002", "IOStalled");
    await stage.until("the word is taken back", () => healthOf(stage, "n002") !== "IOStalled", 90_000);
    await stage.run(30_000);
    stage.expectStill(sinceMs, "after an I/O stall of 60 s");
  },
);

export const engineHang = define(
  "engine-hang",
  "a container engine hangs for 30 s: it is said, nothing moves, nothing stops",
  evenCluster(3),
  async (stage) => {
    await deployAsked(stage);
    const sinceMs = stage.nowMs;
    stage.host("n001").hangEngine(30_000);
    await saysSo(stage, "n001", "EngineSilent");
    await stage.until("the word is taken back", () => healthOf(stage, "n001") !== "EngineSilent", 60_000);
    await stage.run(30_000);
    stage.expectStill(sinceMs, "after an engine hang of 30 s");
    stage.expect(stage.readyCount() === 15, "all are ready", stage.readyCount());
  },
);

export const engineDown = define(
  "engine-down",
  "a container engine is away for 30 s and starts again: nothing moves, nothing stops",
  evenCluster(3),
  async (stage) => {
    await deployAsked(stage);
    const sinceMs = stage.nowMs;
    stage.host("n001").stopEngine(30_000);
    await stage.run(90_000);
    stage.expectStill(sinceMs, "after an engine that was away for 30 s");
    stage.expect(stage.readyCount() === 15, "all are ready", stage.readyCount());
  },
);

/** Also pods whose checks are carried out by the engine. */
async function deployAsked(stage: Stage): Promise<void> {
  await stage.deploy("web", 6, replicated("web", 6));
  await stage.deploy("probed", 6, probed("probed", 6));
  await stage.deploy("/checked", 3, checked("checked", 3));
  await stage.run(5_000);
}

export const healthSteersPlacement = define(
  "health-steers-placement",
  "a host that says its disk stands still gets no new pods while others have room, and keeps what it has",
  evenCluster(3),
  async (stage) => {
    await stage.deploy("old", 3, replicated("old", 3));
    await stage.run(5_000);
    stage.host("n001").stallIo(120_000);
    await saysSo(stage, "n001", "IOStalled");
    await stage.deploy("new", 6, replicated("new", 6));
    stage.expect(stage.podsOn("n001", "new").length === 0, "no new pod is on n001", stage.podsOn("n001", "new").length);
    stage.expect(
      stage.podsOn("n001", "old").length === 1,
      "n001 keeps what it has",
      stage.podsOn("n001", "old").length,
    );
  },
);

/** The node is ready all the time, and its condition Healthy says why it is slow. */
async function saysSo(stage: Stage, node: string, reason: string): Promise<void> {
  await stage.until(
    `${node} says ${reason}`,
    () => healthOf(stage, node) === reason,
    25_000,
    () => JSON.stringify(stage.node(node).status.conditions),
  );
  stage.expect(isNodeReady(stage.node(node)), `${node} is ready, though slow`);
}

function healthOf(stage: Stage, node: string): string | undefined {
  const condition = stage.node(node).status.conditions.find(({ type }) => type === "Healthy");
  return condition?.status === "False" ? condition.reason : undefined;
}
