/** A node whose control plane was restored from an older backup: nothing that runs is stopped before somebody says so. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Agent } from "../../src/agent/agent.ts";
import type { NodeNetwork } from "../../src/agent/node-network.ts";
import { podOf, Stage, web } from "./agent-stage.ts";

async function staged(): Promise<Stage> {
  const stage = new Stage();
  await stage.start();
  return stage;
}

/** The control plane comes back with another store. */
async function restored(stage: Stage, isHeld: boolean, ...pods: readonly ReturnType<typeof podOf>[]): Promise<void> {
  const { control, clock } = stage;
  control.keepsUnknown = isHeld;
  control.pods.clear();
  for (const pod of pods) control.pods.set(pod.metadata.uid, pod);
  control.sendAll();
  await clock.advance(200);
}

const names = (stage: Stage) =>
  stage.driver
    .running()
    .map(({ ref }) => ref.podUid)
    .toSorted();
const stopped = (stage: Stage) => stage.driver.asked.filter((asked) => asked.startsWith("stop"));
const unlisted = (stage: Stage) => stage.control.node?.status.unlisted;

describe("agent: a restored control plane", () => {
  test("pods that it does not know go on, are said by name, and are started again when they crash", async () => {
    const stage = await staged();
    const old = await stage.run(podOf({ containers: [web()] }, "old"));
    const newer = await stage.run(podOf({ containers: [web()] }, "newer"));
    await restored(stage, true, old);
    await stage.clock.advance(60_000);
    assert.deepEqual(names(stage), ["uid-of-newer", "uid-of-old"]);
    assert.deepEqual(unlisted(stage), {
      kept: 1,
      keptPods: [{ key: "default/newer", uid: "uid-of-newer", since: "2026-01-01T00:00:00Z" }],
      waiting: 0,
      waitingPods: [],
    });
    stage.driver.exit({ podUid: newer.metadata.uid, container: "web", attempt: 0 }, 1);
    await stage.clock.advance(1_000);
    assert.deepEqual(names(stage), ["uid-of-newer", "uid-of-old"]);
    assert.deepEqual(stopped(stage), []);
  });

  test("nothing at all is assigned, and everything goes on for as long as nobody confirms", async () => {
    const stage = await staged();
    await stage.run(podOf({ containers: [web()] }, "a"));
    await stage.run(podOf({ containers: [web()] }, "b"));
    await restored(stage, true);
    await stage.clock.advance(600_000);
    stage.control.sendAll();
    await stage.clock.advance(600_000);
    assert.deepEqual(names(stage), ["uid-of-a", "uid-of-b"]);
    assert.equal(unlisted(stage)?.kept, 2);
  });

  test("they go on over a restart of the agent, also those that it has no record of", async () => {
    const stage = await staged();
    await stage.run(podOf({ containers: [web()] }, "recorded"));
    await stage.run(podOf({ containers: [web()] }, "unrecorded"));
    await stage.agent.stop();
    await stage.record.remove("uid-of-unrecorded");
    stage.control.keepsUnknown = true;
    stage.control.pods.clear();
    await stage.restart();
    await stage.clock.advance(120_000);
    assert.deepEqual(names(stage), ["uid-of-recorded", "uid-of-unrecorded"]);
    const kept = unlisted(stage)?.keptPods.map(({ key, uid }) => key ?? uid);
    assert.deepEqual(kept, ["default/recorded", "uid-of-unrecorded"]);
    assert.deepEqual(stage.driver.released, []);
  });

  test("once it is confirmed, what it does not know is stopped and the node says no more of it", async () => {
    const stage = await staged();
    const old = await stage.run(podOf({ containers: [web()] }, "old"));
    await stage.run(podOf({ containers: [web()] }, "newer"));
    await restored(stage, true, old);
    await restored(stage, false, old);
    await stage.clock.advance(60_000);
    assert.deepEqual(names(stage), ["uid-of-old"]);
    assert.equal(unlisted(stage), undefined);
  });

  test("of which there may be one only, none is started that did not run here, until it is confirmed", async () => {
    const stage = await staged();
    const single = podOf({ containers: [web()], exclusive: true }, "single");
    const runs = await stage.run(podOf({ containers: [web()], exclusive: true }, "runs"));
    const plain = podOf({ containers: [web()] }, "plain");
    await restored(stage, true, single, runs, plain);
    await stage.clock.advance(60_000);
    assert.deepEqual(names(stage), ["uid-of-plain", "uid-of-runs"]);
    assert.deepEqual(unlisted(stage)?.waitingPods, ["default/single"]);
    const said = stage.control.events.filter(({ reason }) => reason === "HeldByRestore");
    assert.deepEqual(
      said.map(({ podKey }) => podKey),
      ["default/single"],
    );
    await restored(stage, false, single, runs, plain);
    await stage.clock.advance(1_000);
    assert.deepEqual(names(stage), ["uid-of-plain", "uid-of-runs", "uid-of-single"]);
    assert.deepEqual(stage.driver.doubled, []);
  });

  test("what somebody deletes there is stopped at once all the same", async () => {
    const stage = await staged();
    const old = await stage.run(podOf({ containers: [web()] }, "old"));
    await restored(stage, true, old);
    stage.control.remove(old);
    await stage.clock.advance(1_000);
    assert.deepEqual(names(stage), []);
  });

  test("what of the network is in force here and it does not know is said at once, and not after it is confirmed", async () => {
    const stage = new Stage();
    const policy = { kind: "NetworkPolicy", count: 1, names: ["shop/late"] } as const;
    let isHere = false;
    let changed = () => {};
    const network: NodeNetwork = {
      ...{ wish: "", range: undefined, report: {}, trouble: undefined, isClosed: false, failing: undefined },
      get unlisted() {
        return isHere ? [policy] : [];
      },
      watch: (listener) => {
        changed = listener;
      },
    };
    stage.agent = new Agent({ ...stage.options(), network });
    await stage.start();
    await restored(stage, true);
    assert.equal(unlisted(stage)?.network, undefined);
    isHere = true;
    changed();
    await stage.clock.advance(100);
    assert.deepEqual(unlisted(stage)?.network, [policy]);
    await restored(stage, false);
    assert.equal(unlisted(stage), undefined);
  });
});
