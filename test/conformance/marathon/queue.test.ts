import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { Cluster } from "./cluster.ts";

describe("the launch queue", () => {
  let cluster: Cluster;
  beforeEach(async () => {
    cluster = await Cluster.open();
    for (const name of ["n1", "n2", "n3"]) await cluster.addNode(name);
    await cluster.call("POST", "/v2/apps", { id: "big", cmd: "sleep 1", mem: 999_999, instances: 2 });
    await cluster.settle();
    for (const pod of cluster.pods()) await cluster.refuse(pod, REFUSAL);
  });
  afterEach(() => cluster.close());

  const REFUSAL = "0 of 3 nodes can take it. n1 and n2: needs 977 GiB memory, 7 GiB of 8 GiB free; n3: is cordoned";

  test("has what waits for a place, and why, in Marathon's names", async () => {
    const { queue } = (await cluster.call("GET", "/v2/queue")).body;
    assert.equal(queue.length, 1);
    const [entry] = queue;
    assert.equal(entry.count, 2);
    assert.equal(entry.app.id, "/big");
    assert.deepEqual(entry.delay, { timeLeftSeconds: 0, overdue: true });
    const summary = entry.processedOffersSummary;
    assert.deepEqual([summary.processedOffersCount, summary.unusedOffersCount], [3, 3]);
    const of = (reason: string) =>
      summary.rejectSummaryLastOffers.find((one: { reason: string }) => one.reason === reason);
    assert.deepEqual(of("AgentMaintenance"), { reason: "AgentMaintenance", declined: 1, processed: 3 });
    assert.deepEqual(of("InsufficientMemory"), { reason: "InsufficientMemory", declined: 2, processed: 2 });
  });

  test("has Marathon's keys and no other, and no role", async () => {
    const [entry] = (await cluster.call("GET", "/v2/queue?embed=lastUnusedOffers")).body.queue;
    assert.deepEqual(Object.keys(entry).sort(), [
      "app",
      "count",
      "delay",
      "lastUnusedOffers",
      "processedOffersSummary",
      "since",
    ]);
    assert.deepEqual(entry.lastUnusedOffers[0].reason.toSorted(), ["AgentMaintenance", "InsufficientMemory"]);
  });

  test("shows a hundred refused offers of an app at most, and counts all", async () => {
    for (let n = 4; n <= 120; n++) await cluster.addNode(`n${n}`);
    const refusal = "0 of 120 nodes can take it. n1 and 119 others: needs 977 GiB memory, 7 GiB of 8 GiB free";
    for (const pod of cluster.pods()) await cluster.refuse(pod, refusal);
    const [entry] = (await cluster.call("GET", "/v2/queue?embed=lastUnusedOffers")).body.queue;
    assert.equal(entry.lastUnusedOffers.length, 100);
    assert.equal(entry.processedOffersSummary.processedOffersCount, 120);
  });

  test("is empty once everything has a place", async () => {
    for (const pod of cluster.pods()) await cluster.run(pod);
    assert.deepEqual((await cluster.call("GET", "/v2/queue")).body, { queue: [] });
  });

  test("is bounded for an app that wants more than anybody can place", async () => {
    await cluster.call("POST", "/v2/apps", { id: "many", cmd: "sleep 1", instances: 5000 });
    await cluster.until("a thousand pods that wait", () => cluster.pods("/many").length === 1000);
    await cluster.settle();
    assert.equal(cluster.pods("/many").length, 1000);
    const { queue } = (await cluster.call("GET", "/v2/queue")).body;
    assert.equal(queue.find((entry: { app: { id: string } }) => entry.app.id === "/many").count, 5000);
  });
});
