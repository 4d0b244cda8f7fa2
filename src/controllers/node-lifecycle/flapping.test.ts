import assert from "node:assert/strict";
import { afterEach, describe, test } from "node:test";
import { isFlapping, NO_FLAPS, withReturn } from "./flapping.ts";
import { TestCluster } from "./test-cluster.ts";

const MINUTE = 60_000;

describe("flapping:", () => {
  const open: TestCluster[] = [];
  afterEach(async () => {
    for (const one of open.splice(0)) await one.close();
  });

  async function cluster(): Promise<TestCluster> {
    const made = await TestCluster.open({ nodes: ["n1", "n2", "n3"] });
    open.push(made);
    return made;
  }

  async function lostAndBack(c: TestCluster, times: number): Promise<void> {
    for (let n = 0; n < times; n++) {
      c.silence("n3");
      await c.advance(12_000);
      await c.back("n3");
      await c.advance(12_000);
    }
  }

  const healthOf = (c: TestCluster) => c.condition(c.node("n3"), "Healthy");

  test("three returns within ten minutes are flapping, three in half an hour are not", () => {
    const often = [0, 4, 8].reduce((flaps, minute) => withReturn(flaps, minute * MINUTE), NO_FLAPS);
    assert.ok(isFlapping(often, 8 * MINUTE));
    assert.ok(!isFlapping(often, 13 * MINUTE));
    const seldom = [0, 10, 20, 30].reduce((flaps, minute) => withReturn(flaps, minute * MINUTE), NO_FLAPS);
    assert.ok(!isFlapping(seldom, 30 * MINUTE));
  });

  test("a node that was lost and came back three times says so, and is trusted again after five quiet minutes", async () => {
    const c = await cluster();
    await lostAndBack(c, 2);
    assert.equal(healthOf(c), "");
    await lostAndBack(c, 1);
    assert.equal(healthOf(c), "False Flapping");
    assert.equal(c.condition(c.node("n3"), "Ready"), "True AgentReady");
    assert.match(c.lifecycle.stateOf("n3")?.words ?? "", /lost and came back 3 times within 10 min/);
    assert.match(c.events("Flapping")[0]?.message ?? "", /new pods go elsewhere while they can/);
    await c.advance(4 * MINUTE);
    assert.equal(healthOf(c), "False Flapping");
    await lostAndBack(c, 1);
    await c.advance(4 * MINUTE);
    assert.equal(healthOf(c), "False Flapping", "each return begins the quiet time anew");
    await c.advance(2 * MINUTE);
    assert.equal(healthOf(c), "True Well");
  });

  test("silences that are no loss, announced restarts and other nodes are not counted", async () => {
    const c = await cluster();
    for (let n = 0; n < 5; n++) {
      c.silence("n3");
      await c.advance(6_000);
      await c.back("n3");
      c.goodbye("n3", "agent-restart");
      await c.advance(20_000);
      await c.back("n3", true);
      await c.advance(5_000);
    }
    assert.equal(healthOf(c), "");
    await lostAndBack(c, 3);
    assert.equal(c.condition(c.node("n2"), "Healthy"), "");
  });

  test("a control plane that starts meanwhile gives it the quiet time once more, and then trusts it", async () => {
    const c = await cluster();
    await lostAndBack(c, 3);
    await c.restart();
    await c.advance(4 * MINUTE);
    assert.equal(healthOf(c), "False Flapping");
    await c.advance(2 * MINUTE);
    assert.equal(healthOf(c), "True Well");
  });
});
