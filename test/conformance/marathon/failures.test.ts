import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { events } from "../../../src/model/event.ts";
import { isTerminal } from "../../../src/model/pod.ts";
import { Cluster, containerStatus } from "./cluster.ts";

const RULES = { backoffSeconds: 10, backoffFactor: 2, maxLaunchDelaySeconds: 300 };

describe("when tasks fail", () => {
  let cluster: Cluster;
  beforeEach(async () => {
    cluster = await Cluster.open();
    await cluster.addNode();
    await cluster.call("POST", "/v2/apps", { id: "a", cmd: "sleep 1", ...RULES });
    await cluster.converge();
  });
  afterEach(() => cluster.close());

  async function failOnce(exitCode = 7): Promise<void> {
    const [pod] = cluster.live("/a");
    assert.ok(pod);
    await cluster.run(pod);
    await cluster.end(pod, exitCode);
    await cluster.settle();
  }

  const delay = async (): Promise<number> =>
    (await cluster.call("GET", "/v2/queue")).body.queue[0]?.delay.timeLeftSeconds ?? 0;

  test("the next waits for the backoff, which grows, and /v2/queue says how long", async () => {
    await failOnce();
    assert.equal(cluster.live("/a").length, 0, "nothing is launched before the delay is over");
    assert.ok((await delay()) > 8 && (await delay()) <= 10);
    cluster.clock.forward(10_000);
    await cluster.nudge("/a");
    await cluster.until("another launch", () => cluster.live("/a").length === 1);
    await failOnce();
    assert.ok((await delay()) > 18, "twice as long");
  });

  test("while the next is delayed, /v2/queue says nothing of offers: none was asked for", async () => {
    await failOnce();
    const [entry] = (await cluster.call("GET", "/v2/queue?embed=lastUnusedOffers")).body.queue;
    assert.deepEqual(entry.processedOffersSummary, {
      processedOffersCount: 0,
      unusedOffersCount: 0,
      rejectSummaryLastOffers: [],
      rejectSummaryLaunchAttempt: [],
    });
    assert.deepEqual(entry.lastUnusedOffers, []);
  });

  test("DELETE of the delay launches at once", async () => {
    await failOnce();
    assert.equal((await cluster.call("DELETE", "/v2/queue/a/delay")).status, 204);
    await cluster.until("another launch", () => cluster.live("/a").length === 1);
    await cluster.obey();
    const none = await cluster.call("DELETE", "/v2/queue/a/delay");
    assert.equal(none.status, 404);
    assert.deepEqual(none.body, { message: "Application /a not found in tasks queue." });
  });

  test("the last failure is shown with its words, also after its pod has gone", async () => {
    await failOnce(7);
    const { lastTaskFailure } = (await cluster.call("GET", "/v2/apps/a")).body.app;
    assert.equal(lastTaskFailure.state, "TASK_FAILED");
    assert.equal(lastTaskFailure.message, "Command exited with status 7");
    assert.equal(lastTaskFailure.appId, "/a");
    assert.match(lastTaskFailure.taskId, /^a\.instance-/);
  });

  test("an event of the app says so, and counts when it happens again", async () => {
    await failOnce(7);
    await cluster.call("DELETE", "/v2/queue/a/delay");
    await cluster.until("another launch", () => cluster.live("/a").length === 1);
    await failOnce(7);
    const told = cluster.store.list(events).filter(({ reason }) => reason === "TaskFailed");
    assert.deepEqual(
      told.map(({ type, message, count, involvedObject }) => [type, message, count, involvedObject.kind]),
      [["Warning", "Command exited with status 7", 2, "App"]],
    );
  });

  test("a task that ends well is no failure, and is replaced after the backoff all the same", async () => {
    await failOnce(0);
    assert.equal((await cluster.call("GET", "/v2/apps/a")).body.app.lastTaskFailure, undefined);
    assert.ok((await delay()) > 8);
  });

  test("only the last few ended pods are kept", async () => {
    for (let i = 0; i < 6; i++) {
      await failOnce();
      await cluster.call("DELETE", "/v2/queue/a/delay");
      await cluster.until("another launch", () => cluster.live("/a").length === 1);
    }
    assert.equal(cluster.pods("/a").filter(isTerminal).length, 3);
  });

  test("one that was killed for its health is replaced at once", async () => {
    await cluster.call("PUT", "/v2/apps/a", { healthChecks: [{ protocol: "TCP", maxConsecutiveFailures: 2 }] });
    await cluster.converge();
    const [pod] = cluster.live("/a");
    assert.ok(pod);
    const results = [{ alive: false, consecutiveFailures: 3, lastFailureCause: "connection refused" }];
    await cluster.setStatus(pod, () => ({
      phase: "Failed",
      containerStatuses: [containerStatus({ terminated: { exitCode: 137, reason: "Error" } }, results)],
    }));
    await cluster.until("another launch", () => cluster.live("/a").length === 1);
    const { lastTaskFailure } = (await cluster.call("GET", "/v2/apps/a")).body.app;
    assert.equal(lastTaskFailure.state, "TASK_KILLED");
    assert.match(lastTaskFailure.message, /connection refused/);
  });

  test("an image that cannot be had is shown in Docker's own words while its task waits", async () => {
    await cluster.call("POST", "/v2/apps", { id: "b", container: { docker: { image: "no/such" } } });
    await cluster.settle();
    const [pod] = cluster.pods("/b");
    assert.ok(pod);
    await cluster.bind(pod);
    const waiting = { reason: "ImagePullBackOff", message: "pull access denied for no/such" };
    await cluster.setStatus(pod, () => ({ phase: "Pending", containerStatuses: [containerStatus({ waiting })] }));
    const { app } = (await cluster.call("GET", "/v2/apps/b")).body;
    assert.equal(app.lastTaskFailure.message, "ImagePullBackOff: pull access denied for no/such");
    assert.equal(app.tasksStaged, 1);
    assert.equal(app.deployments.length, 1);
  });

  test("a node that takes its pod away gets another at once", async () => {
    const [pod] = cluster.live("/a");
    assert.ok(pod);
    await cluster.remove(pod);
    await cluster.until("another launch", () => cluster.live("/a").length === 1);
  });
});
