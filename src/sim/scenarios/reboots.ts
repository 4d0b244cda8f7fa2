import { evenCluster } from "../draw/cluster.ts";
import { define } from "./define.ts";
import type { Stage } from "./stage.ts";
import { replicated } from "./workloads.ts";

export const rebootAnnounced = define(
  "reboot-announced",
  "a host that said goodbye is away for 90 s: it is waited for, and its pods run there again",
  evenCluster(3),
  async (stage) => {
    await stage.deploy("web", 6, replicated("web", 6));
    const before = podIds(stage);
    const sinceMs = stage.nowMs;
    void stage.host("n001").reboot({ announced: true, offMs: 90_000 });
    await stage.run(60_000);
    stage.expectNoMoves(sinceMs, "while the host reboots");
    await stage.until("the host is on", () => stage.host("n001").isAgentUp, 60_000);
    await stage.ready("web", 6, 30_000);
    stage.expectNoMoves(sinceMs, "after the reboot");
    stage.expect(podIds(stage) === before, "the same pods run", podIds(stage));
    const starts = stage.ledger.since(sinceMs, "running");
    stage.expect(
      starts.length === 2 && starts.every(({ host }) => host === "n001"),
      "its 2 containers ran anew",
      starts.length,
    );
  },
);

export const goodbyeKept = define(
  "goodbye-kept",
  "a host said goodbye, and the control plane is restarted while it is away: it is waited for all the same",
  evenCluster(3),
  async (stage) => {
    await stage.deploy("web", 6, replicated("web", 6));
    const before = podIds(stage);
    const sinceMs = stage.nowMs;
    void stage.host("n001").reboot({ announced: true, offMs: 120_000 });
    await stage.run(5_000);
    stage.world.server.crash();
    await stage.run(1_000);
    await stage.world.server.start();
    await stage.run(90_000);
    stage.expectNoMoves(sinceMs, "while the host reboots");
    await stage.until("the host is on", () => stage.host("n001").isAgentUp, 60_000);
    await stage.ready("web", 6, 30_000);
    stage.expectNoMoves(sinceMs, "after the reboot");
    stage.expect(podIds(stage) === before, "the same pods run", podIds(stage));
  },
);

export const rebootAll = define(
  "reboot-all",
  "every host loses its power at once and comes back after a minute: the brake holds, nothing moves, all run again",
  evenCluster(6, 2),
  async (stage) => {
    await stage.deploy("web", 12, replicated("web", 12));
    const before = podIds(stage);
    const sinceMs = stage.nowMs;
    for (const host of stage.hosts) void host.reboot({ announced: false, offMs: 60_000 });
    await stage.run(55_000);
    stage.expectNoMoves(sinceMs, "while every host is off");
    await stage.until("every host is on", () => stage.hosts.every(({ isAgentUp }) => isAgentUp), 60_000);
    await stage.ready("web", 12, 60_000);
    await stage.run(30_000);
    stage.expectNoMoves(sinceMs, "after every host rebooted");
    stage.expect(podIds(stage) === before, "the same pods run", podIds(stage));
  },
);

function podIds(stage: Stage): string {
  return stage
    .pods("web")
    .map(({ metadata }) => metadata.uid)
    .sort()
    .join(" ");
}

/** How many containers a node starts at a time (agent). */
const STARTS_AT_ONCE = 8;

export const staggeredRestart = define(
  "staggered-restart",
  "a host that comes back with 40 pods to start does not start all of them at once",
  evenCluster(1, 1, 8_000),
  async (stage) => {
    await stage.deploy("web", 40, replicated("web", 40));
    const sinceMs = stage.nowMs;
    await rebooted(stage);
    await stage.ready("web", 40, 120_000);
    const most = mostUnderWay(stage, sinceMs);
    stage.expect(most <= STARTS_AT_ONCE, `at most ${STARTS_AT_ONCE} starts are under way at a time`, most);
    stage.expectNoMoves(sinceMs, "after a reboot");
  },
);

async function rebooted(stage: Stage): Promise<void> {
  const [host] = stage.hosts;
  void host?.reboot({ announced: true, offMs: 10_000 });
  await stage.until("the host is off", () => host?.isOn === false, 30_000);
  await stage.until("the host is on", () => host?.isAgentUp === true, 60_000);
}

/** Starts that have begun and not yet led to anything, at the worst moment. */
function mostUnderWay(stage: Stage, sinceMs: number): number {
  let most = 0;
  const underWay = new Set<string>();
  for (const { atMs, what, podUid, container, attempt } of stage.ledger.calls) {
    if (atMs < sinceMs) continue;
    const key = `${podUid}/${container}/${attempt}`;
    if (what === "start") underWay.add(key);
    if (what === "running" || what === "exited") underWay.delete(key);
    most = Math.max(most, underWay.size);
  }
  return most;
}
