import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { Cluster } from "./cluster.ts";

interface Frame {
  readonly event: string;
  // biome-ignore lint/suspicious/noExplicitAny: payloads are what the tests are about
  readonly data: any;
}

describe("the event stream", () => {
  let cluster: Cluster;
  beforeEach(async () => {
    cluster = await Cluster.open();
    await cluster.addNode();
  });
  afterEach(() => cluster.close());

  /** Reads frames until one of this name has come; gives all that came. */
  async function readUntil(name: string, query: string, act: () => Promise<unknown>): Promise<readonly Frame[]> {
    const gone = new AbortController();
    const response = await cluster.respond("GET", `/v2/events${query}`, undefined, { signal: gone.signal });
    assert.match(response.headers.get("Content-Type") ?? "", /^text\/event-stream/);
    const frames: Frame[] = [];
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    assert.ok(reader);
    await act();
    let text = "";
    while (!frames.some(({ event }) => event === name)) {
      const { value, done } = await reader.read();
      assert.ok(!done, `the stream ended without ${name}; it had ${frames.map(({ event }) => event).join(", ")}`);
      text += value;
      const parts = text.split("\r\n\r\n");
      text = parts.pop() ?? "";
      for (const part of parts) {
        const [, event = "", data = ""] = /^event: (.*)\r\ndata: (.*)$/.exec(part.replace(/^(\r\n)+/, "")) ?? [];
        frames.push({ event, data: JSON.parse(data) });
      }
    }
    gone.abort();
    await reader.cancel();
    return frames;
  }

  test("tells of an app from its creation to the end of its deployment", async () => {
    const frames = await readUntil("deployment_success", "", async () => {
      await cluster.call("POST", "/v2/apps", { id: "a", cmd: "sleep 1" });
      await cluster.converge();
    });
    const names = frames.map(({ event }) => event);
    const wanted = [
      "event_stream_attached",
      "api_post_event",
      "deployment_info",
      "status_update_event",
      "deployment_success",
    ];
    for (const name of wanted) assert.ok(names.includes(name), `${name} is missing in ${names.join(", ")}`);
    for (const { event, data } of frames) {
      assert.equal(data.eventType, event);
      assert.match(data.timestamp, /^\d{4}-.*Z$/);
    }
    const running = frames.find(({ data }) => data.taskStatus === "TASK_RUNNING");
    assert.deepEqual([running?.data.appId, running?.data.slaveId, running?.data.host], ["/a", "n1", "10.0.0.1"]);
    assert.equal(frames.find(({ event }) => event === "api_post_event")?.data.appDefinition.id, "/a");
  });

  test("of the types that were asked for alone", async () => {
    const query = "?event_type=status_update_event&event_type=deployment_success";
    const frames = await readUntil("deployment_success", query, async () => {
      await cluster.call("POST", "/v2/apps", { id: "a", cmd: "sleep 1" });
      await cluster.converge();
    });
    assert.deepEqual(new Set(frames.map(({ event }) => event)), new Set(["status_update_event", "deployment_success"]));
  });

  test("tells when health changes, and when a task is killed", async () => {
    await cluster.call("POST", "/v2/apps", { id: "a", cmd: "serve", healthChecks: [{ protocol: "TCP" }] });
    await cluster.settle();
    const [pod] = cluster.live();
    assert.ok(pod);
    await cluster.run(pod, [{ alive: true, consecutiveFailures: 0 }]);
    const frames = await readUntil("app_terminated_event", "", async () => {
      await cluster.run(pod, [{ alive: false, consecutiveFailures: 1 }]);
      await cluster.call("DELETE", "/v2/apps/a");
      await cluster.converge();
    });
    assert.ok(frames.some(({ event }) => event === "failed_health_check_event"));
    assert.equal(frames.find(({ event }) => event === "health_status_changed_event")?.data.alive, false);
    assert.ok(frames.some(({ data }) => data.taskStatus === "TASK_KILLED"));
  });
});
