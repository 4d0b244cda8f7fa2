/** Hosts that are silent for longer or shorter, and what that means to what runs on them. */
import { isNodeReady } from "../../model/node.ts";
import { isReady } from "../../model/pod.ts";
import { evenCluster } from "../draw/cluster.ts";
import { changeSettings } from "../draw/own-api.ts";
import { define } from "./define.ts";
import type { Stage } from "./stage.ts";
import { replicated } from "./workloads.ts";

/** From the host's death to its successors running, without the time that a start takes itself. */
export const SUCCESSOR_WITHIN_MS = 10_000;
/** What the world's drivers and links take for a start. */
const START_MS = 1_000;

export const silentHost = define(
  "silent-host",
  "a host dies without a word: its pods run elsewhere within 10 s, and nothing else moves",
  evenCluster(5),
  async (stage) => {
    await stage.deploy("web", 10, replicated("web", 10));
    const lost = new Set(stage.podsOn("n002", "web").map(({ metadata }) => metadata.uid));
    stage.expect(lost.size === 2, "pods are spread evenly", lost.size);
    await stage.run(5_000);
    const diedMs = stage.nowMs;
    stage.host("n002").powerOff();
    const tookMs = await replacedWithin(stage, "web", 10, SUCCESSOR_WITHIN_MS + START_MS);
    stage.world.note(`successors run ${tookMs} ms after the host's death`);
    await stage.run(60_000);
    const moved = stage.ledger.movesSince(diedMs).map(({ pod }) => pod.metadata.uid);
    stage.expect(
      moved.length === 2 && moved.every((uid) => lost.has(uid)),
      "only the pods of the dead host move",
      moved.length,
    );
  },
);

export const silentFullHost = define(
  "silent-full-host",
  "a host with a hundred copies of one workload dies: all of them run elsewhere within 10 s, not only the first",
  evenCluster(5, 1, 16_000, 32 * 2 ** 30),
  async (stage) => {
    await stage.deploy("web", 500, replicated("web", 500, { cpu: "20m" }));
    stage.expect(
      stage.podsOn("n002", "web").length === 100,
      "pods are spread evenly",
      stage.podsOn("n002", "web").length,
    );
    await stage.run(5_000);
    stage.host("n002").powerOff();
    const tookMs = await replacedWithin(stage, "web", 500, SUCCESSOR_WITHIN_MS + START_MS);
    stage.world.note(`the last of 100 successors runs ${tookMs} ms after the host's death`);
  },
);

/** Until so many copies run on hosts that are on. */
async function replacedWithin(stage: Stage, workload: string, copies: number, withinMs: number): Promise<number> {
  const wanted = () => stage.runningOn(new Set(stage.pods(workload).map(({ metadata }) => metadata.uid))).length;
  return await stage.until(
    `${copies} copies of ${workload} run`,
    () => wanted() === copies,
    withinMs,
    () => `${wanted()} run`,
  );
}

export const blip = define(
  "blip",
  "the network to half of the nodes is away for 6 s: nothing moves, nothing stops",
  evenCluster(6, 2),
  async (stage) => {
    await stage.deploy("web", 12, replicated("web", 12));
    const sinceMs = stage.nowMs;
    for (const name of ["n001", "n002", "n003"]) stage.world.network.cut(name, "server");
    await stage.run(6_000);
    for (const name of ["n001", "n002", "n003"]) stage.world.network.join(name, "server");
    await stage.run(60_000);
    stage.expectStill(sinceMs, "after a blip of 6 s");
  },
);

export const flappingNode = define(
  "flapping-node",
  "a node that is cut off for 4 s in every 8 s is a poor node, not a dead one: nothing moves",
  evenCluster(4),
  async (stage) => {
    await stage.deploy("web", 8, replicated("web", 8));
    const sinceMs = stage.nowMs;
    for (let i = 0; i < 40; i++) {
      stage.world.network.cut("n003", "server");
      await stage.run(4_000);
      stage.world.network.join("n003", "server");
      await stage.run(4_000);
    }
    stage.expectStill(sinceMs, "a flapping network");
  },
);

export const oneWayCut = define(
  "one-way-cut",
  "what a node says is lost, what it is told arrives: it is replaced as any silent node, and all is one after the join",
  evenCluster(4),
  async (stage) => {
    await stage.deploy("web", 8, replicated("web", 8));
    const cutMs = stage.nowMs;
    stage.world.network.cut("n004", "server", true);
    await replacedOn(stage, "n004", cutMs);
    stage.world.network.join("n004", "server");
    await stage.ready("web", 8);
    await stage.run(30_000);
    stage.expect(stage.pods("web").length === 8, "8 pods are left after the surplus went", stage.pods("web").length);
  },
);

async function replacedOn(stage: Stage, node: string, sinceMs: number): Promise<void> {
  const isReplaced = () => stage.ledger.movesSince(sinceMs, "NodeUnreachable").length === 2;
  await stage.until(`the 2 pods of ${node} are given up`, isReplaced, SUCCESSOR_WITHIN_MS);
  await stage.ready("web", 8, 5_000);
  stage.expect(!isNodeReady(stage.node(node)), `${node} is not ready`);
}

export const surplusOnReturn = define(
  "surplus-on-return",
  "a node that returns brings copies too many: the returned ones go, the newest stay",
  evenCluster(4),
  async (stage) => {
    await stage.deploy("web", 8, replicated("web", 8));
    const cutMs = stage.nowMs;
    const old = new Set(stage.podsOn("n001", "web").map(({ metadata }) => metadata.uid));
    stage.world.network.cut("n001", "server");
    await stage.run(30_000);
    await stage.ready("web", 8, 1_000);
    const successors = stage.ledger.made.filter(({ atMs }) => atMs >= cutMs).map(({ pod }) => pod.metadata.uid);
    stage.world.network.join("n001", "server");
    await stage.until(
      "8 pods are left",
      () => stage.pods("web").length === 8,
      30_000,
      () => `${stage.pods("web").length}`,
    );
    const left = stage.pods("web").map(({ metadata }) => metadata.uid);
    stage.expect(successors.length === 2 && successors.every((uid) => left.includes(uid)), "the successors stay");
    stage.expect(!left.some((uid) => old.has(uid)), "the returned copies are gone");
    stage.expect(isNodeReady(stage.node("n001")), "the node is ready again");
    const started = stage.ledger.made.filter(({ atMs }) => atMs >= cutMs).length;
    stage.expect(started === 2, "2 pods were made in all", started);
  },
);

export const gone = define(
  "gone",
  "a node that stays away for long is gone: what was replaced is forgotten",
  evenCluster(3),
  async (stage) => {
    await stage.ask(changeSettings({ goneAfterMs: 60_000 }));
    await stage.deploy("web", 6, replicated("web", 6));
    const lost = stage.podsOn("n003", "web").map(({ metadata }) => metadata.uid);
    stage.host("n003").powerOff();
    await stage.run(50_000);
    const known = () => stage.pods("web").filter(({ metadata }) => lost.includes(metadata.uid)).length;
    stage.expect(known() === lost.length && lost.length > 0, "lost pods are listed until then", known());
    await stage.until(
      "they are forgotten",
      () => known() === 0,
      30_000,
      () => `${known()} are listed`,
    );
    stage.expect(stage.pods("web").filter(isReady).length === 6, "6 copies are ready");
  },
);
