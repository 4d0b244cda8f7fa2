/** A host whose network comes and goes more slowly than a lease runs out. */
import { isNodeReady } from "../../model/node.ts";
import { evenCluster } from "../draw/cluster.ts";
import { define } from "./define.ts";
import type { Stage } from "./stage.ts";
import { replicated } from "./workloads.ts";

const AWAY_MS = 15_000;
const THERE_MS = 20_000;
/** It is trusted again after 5 min without a loss; a heartbeat and a write later. */
const TRUSTED_WITHIN_MS = 320_000;

export const flappingLong = define(
  "flapping-long",
  "a node that is lost and comes back again and again gets no more new pods after the third return, until it has been there for 5 min",
  evenCluster(4),
  async (stage) => {
    await stage.deploy("web", 8, replicated("web", 8));
    for (let round = 1; round <= 3; round++) await awayAndBack(stage);
    stage.expect(isNodeReady(stage.node("n003")), "n003 is ready");
    stage.expect(healthOf(stage) === "Flapping", "n003 says that it flaps", healthOf(stage) ?? "nothing");
    for (let round = 1; round <= 4; round++) {
      // Nothing runs there any more: by room alone it would get them all.
      await stage.deploy(`new-${round}`, 3, replicated(`new-${round}`, 3));
      const there = stage.podsOn("n003", `new-${round}`).length;
      stage.expect(there === 0, "no new pod goes to a node that flaps", there);
      const sinceMs = stage.nowMs;
      await awayAndBack(stage);
      stage.expectNoMoves(sinceMs, "a node that flaps, and has nothing to lose");
    }
    await stage.until("n003 is trusted again", () => healthOf(stage) === undefined, TRUSTED_WITHIN_MS);
    await stage.deploy("last", 4, replicated("last", 4));
    stage.expect(stage.podsOn("n003", "last").length > 0, "new pods go there again");
  },
);

async function awayAndBack(stage: Stage): Promise<void> {
  stage.world.network.cut("n003", "server");
  await stage.run(AWAY_MS);
  stage.world.network.join("n003", "server");
  await stage.run(THERE_MS);
}

function healthOf(stage: Stage): string | undefined {
  const condition = stage.node("n003").status.conditions.find(({ type }) => type === "Healthy");
  return condition?.status === "False" ? condition.reason : undefined;
}
