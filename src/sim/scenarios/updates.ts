/** Rolling updates, pulls and restarts. */
import { isLive, isReady } from "../../model/pod.ts";
import { evenCluster } from "../draw/cluster.ts";
import { define } from "./define.ts";
import type { Stage } from "./stage.ts";
import { app, replicated } from "./workloads.ts";

export const updateFloor = define(
  "update-floor",
  "a rolling update while agents crash and the network is poor: never fewer healthy copies than its floor",
  evenCluster(4),
  async (stage) => {
    const upgradeStrategy = { minimumHealthCapacity: 0.75, maximumOverCapacity: 0.25 };
    await stage.deploy("/shop", 8, app("shop", 8, { upgradeStrategy }));
    const sinceMs = stage.nowMs;
    let isOver = false;
    stage.world.observe({
      driver() {
        if (isOver) return;
        const uids = new Set(stage.pods("/shop").map(({ metadata }) => metadata.uid));
        const running = stage.runningOn(uids).length;
        stage.expect(running >= 6, "at least 6 of 8 copies run at any time", running);
      },
    });
    stage.world.network.setQuality({ delayMs: [20, 400], loss: 0.05, duplicate: 0.05, reorder: 0.1 });
    await stage.ask({ method: "PUT", path: "/v2/apps/shop?force=true", body: { env: { VERSION: "2" } } });
    for (const host of stage.hosts) {
      host.crashAgent();
      await stage.run(3_000);
      await restartAgent(stage, host.name);
    }
    await stage.until(
      "the update is done",
      () => isDone(stage, sinceMs),
      180_000,
      () => `${fresh(stage, sinceMs)} are new`,
    );
    isOver = true;
    stage.world.network.heal();
  },
);

async function restartAgent(stage: Stage, name: string): Promise<void> {
  let isUp = false;
  void stage
    .host(name)
    .startAgent()
    .then(() => {
      isUp = true;
    });
  await stage.until(`the agent of ${name} is up`, () => isUp, 30_000);
}

function isDone(stage: Stage, sinceMs: number): boolean {
  return stage.pods("/shop").length === 8 && fresh(stage, sinceMs) === 8;
}

/** Copies that were made since then, and are ready. */
function fresh(stage: Stage, sinceMs: number): number {
  const made = new Set(stage.ledger.made.filter(({ atMs }) => atMs >= sinceMs).map(({ pod }) => pod.metadata.uid));
  return stage.pods("/shop").filter((pod) => made.has(pod.metadata.uid) && isLive(pod) && isReady(pod)).length;
}

/** How many images a node pulls at a time (agent/pull-queue.ts). */
const PULLS_AT_ONCE = 4;

export const pullQueue = define(
  "pull-queue",
  "twelve images that take 10 s each are pulled four at a time, not all at once",
  evenCluster(1),
  async (stage) => {
    const beganMs = stage.nowMs;
    for (let i = 0; i < 12; i++) await stage.ask(replicated(`p${i}`, 1, { image: `fake/slow:after-${10_000 + i}ms` }));
    await stage.until(
      "all run",
      () => stage.readyCount() === 12,
      90_000,
      () => `${stage.readyCount()} are ready`,
    );
    const times = stage.ledger.since(beganMs, "running").map(({ atMs }) => atMs - beganMs);
    for (const [i, atMs] of times.entries()) {
      const earliest = (Math.floor(i / PULLS_AT_ONCE) + 1) * 10_000;
      stage.expect(atMs >= earliest, `the ${i + 1}th runs after ${earliest} ms`, atMs);
    }
  },
);

export const backoffReset = define(
  "backoff-reset",
  "a container that ran well for eleven minutes is started again at once; one that did not waits longer each time",
  evenCluster(1),
  async (stage) => {
    await stage.deploy("good", 1, replicated("good", 1, { image: "fake/exit-1:after-11m" }));
    await stage.ask(replicated("bad", 1, { image: "fake/exit-1:after-1s" }));
    await stage.run(60 * 60_000);
    const good = pauses(stage, "good");
    stage.expect(
      good.length >= 4 && good.every((ms) => ms <= 12_000),
      "good: never more than the first pause",
      good.join(" "),
    );
    const bad = pauses(stage, "bad");
    stage.expect(
      bad.some((ms) => ms >= 290_000) && bad.every((ms) => ms <= 320_000),
      "bad: up to five minutes",
      bad.join(" "),
    );
  },
);

/** Between an end and the next start. */
function pauses(stage: Stage, workload: string): readonly number[] {
  const uid = stage.pods(workload)[0]?.metadata.uid ?? "";
  const ends = stage.ledger.since(0, "exited", uid).map(({ atMs }) => atMs);
  const starts = stage.ledger.since(0, "running", uid).map(({ atMs }) => atMs);
  return starts.slice(1).map((atMs, i) => atMs - (ends[i] ?? 0));
}
