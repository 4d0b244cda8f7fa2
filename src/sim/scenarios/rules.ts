/** What users wrote about their pods for when a node is unreachable. */
import { evenCluster } from "../draw/cluster.ts";
import { changeSettings } from "../draw/own-api.ts";
import { define } from "./define.ts";
import type { Stage } from "./stage.ts";
import { app, replicated } from "./workloads.ts";

const WHEN = "styrmann.dev/when-unreachable";
const UNREACHABLE = { key: "node.kubernetes.io/unreachable", operator: "Exists", effect: "NoExecute" };

/** Cuts the node off on which the first copy is; nothing of it may move for so long, and then it does, or never. */
async function cutOff(stage: Stage, workload: string, quietMs: number): Promise<string> {
  const node = stage.pods(workload)[0]?.spec.nodeName ?? "";
  const sinceMs = stage.nowMs;
  stage.world.network.cut(node, "server");
  await stage.run(quietMs);
  const moved = stage.ledger.movesSince(sinceMs).filter(({ pod }) => isOf(stage, workload, pod.metadata.uid)).length;
  stage.expect(moved === 0, `${workload} is not replaced within ${quietMs} ms`, moved);
  return node;
}

function isOf(stage: Stage, workload: string, uid: string): boolean {
  return stage.pods(workload).some(({ metadata }) => metadata.uid === uid);
}

async function back(stage: Stage, node: string, workload: string, copies: number): Promise<void> {
  stage.world.network.join(node, "server");
  await stage.ready(workload, copies, 30_000);
}

export const keep = define(
  "keep",
  "a pod that is to be kept waits for its node, however long that takes",
  evenCluster(4),
  async (stage) => {
    await stage.deploy("data", 2, replicated("data", 2, { annotations: { [WHEN]: "keep" } }));
    await back(stage, await cutOff(stage, "data", 300_000), "data", 2);
    stage.expect(stage.pods("data").length === 2, "the same two pods", stage.pods("data").length);
  },
);

export const replaceAfter = define(
  "replace-after",
  "a pod that is to be replaced after 30 s is replaced after 8 s and 30 s of silence",
  evenCluster(4),
  async (stage) => {
    await stage.deploy("cache", 2, replicated("cache", 2, { annotations: { [WHEN]: "30s" } }));
    const sinceMs = stage.nowMs;
    await cutOff(stage, "cache", 36_000);
    await stage.until("it is replaced", () => stage.ledger.movesSince(sinceMs).length === 1, 5_000);
    await stage.ready("cache", 2, 5_000);
  },
);

export const tolerations = define(
  "tolerations",
  "a toleration that its user wrote is kept to, for its seconds or for ever; none means at once",
  evenCluster(4),
  async (stage) => {
    const forEver = { spec: { tolerations: [UNREACHABLE] } };
    const forAWhile = { spec: { tolerations: [{ ...UNREACHABLE, tolerationSeconds: 30 }] } };
    await stage.deploy("ever", 4, replicated("ever", 4, forEver));
    await stage.deploy("while", 4, replicated("while", 4, forAWhile));
    await stage.deploy("none", 4, replicated("none", 4));
    const sinceMs = stage.nowMs;
    stage.world.network.cut("n001", "server");
    await stage.run(12_000);
    const moved = () => stage.ledger.movesSince(sinceMs).map(({ pod }) => pod.metadata.labels?.app);
    stage.expect(moved().join() === "none", "after 12 s only the one without a toleration is replaced", moved().join());
    await stage.run(24_000);
    stage.expect(moved().join() === "none", "after 36 s too", moved().join());
    await stage.run(6_000);
    stage.expect(moved().join() === "none,while", "after 42 s the one that tolerates 30 s", moved().join());
    await stage.run(300_000);
    stage.expect(moved().join() === "none,while", "the one that tolerates it for ever never is", moved().join());
  },
);

export const marathonDisabled = define(
  "marathon-disabled",
  "unreachableStrategy: disabled keeps a task, inactiveAfterSeconds replaces it after that",
  evenCluster(4),
  async (stage) => {
    await stage.deploy("/kept", 4, app("kept", 4, { unreachableStrategy: "disabled" }));
    const strategy = { inactiveAfterSeconds: 20, expungeAfterSeconds: 40 };
    await stage.deploy("/moved", 4, app("moved", 4, { unreachableStrategy: strategy }));
    const sinceMs = stage.nowMs;
    stage.world.network.cut("n002", "server");
    await stage.run(25_000);
    stage.expectNoMoves(sinceMs, "within 8 s and 20 s");
    await stage.run(8_000);
    const moved = stage.ledger
      .movesSince(sinceMs)
      .map(({ pod }) => pod.metadata.annotations?.["styrmann.dev/workload"]);
    stage.expect(moved.join() === "/moved", "the one with 20 s is replaced", moved.join());
    await stage.run(120_000);
    stage.expect(stage.ledger.movesSince(sinceMs).length === 1, "the disabled one never is");
    stage.world.network.join("n002", "server");
    await stage.ready("/kept", 4, 30_000);
    await stage.ready("/moved", 4, 30_000);
  },
);

export const rateLimit = define(
  "rate-limit",
  "the pods of a lost node are replaced at the pace that the cluster's settings allow",
  evenCluster(3),
  async (stage) => {
    await stage.ask(changeSettings({ movesBurst: 3, movesPerSecond: 1 }));
    for (const name of ["a", "b", "c", "d"]) await stage.deploy(name, 9, replicated(name, 9));
    stage.expect(stage.podsOn("n001").length === 12, "12 pods are on n001", stage.podsOn("n001").length);
    const sinceMs = stage.nowMs;
    stage.host("n001").powerOff();
    await stage.until("all are replaced", () => stage.ledger.movesSince(sinceMs).length === 12, 40_000);
    const times = stage.ledger.movesSince(sinceMs).map(({ atMs }) => atMs);
    for (const [i, atMs] of times.entries()) {
      const allowed = 3 + Math.ceil((atMs - (times[0] ?? 0)) / 1_000);
      stage.expect(i + 1 <= allowed, `at most ${allowed} moves by then`, i + 1);
    }
    await stage.until("all run again", () => stage.readyCount() >= 36, 20_000);
  },
);
