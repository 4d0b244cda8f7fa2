/** What an agent works with, counted: the same parts, with the numbers of what they did. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { HeartbeatNews } from "../../../src/agent/heartbeat/heartbeat-loop.ts";
import type { Heartbeats } from "../../../src/agent/heartbeat/heartbeats.ts";
import { meteredDialer } from "../../../src/app/metered/metered-dialer.ts";
import { meteredDriver } from "../../../src/app/metered/metered-driver.ts";
import { meteredHeartbeats } from "../../../src/app/metered/metered-heartbeats.ts";
import { meteredTransport } from "../../../src/app/metered/metered-transport.ts";
import { type ContainerRun, type Driver, DriverError } from "../../../src/drivers/driver.ts";
import { FakeDriver } from "../../../src/drivers/fake/fake-driver.ts";
import { FakeMachine } from "../../../src/drivers/fake/fake-machine.ts";
import { AGENT_METRICS } from "../../../src/metrics/agent-metrics.ts";
import { expose } from "../../../src/metrics/exposition.ts";
import { Meters } from "../../../src/metrics/meters.ts";
import { LinkError, type LinkListener } from "../../../src/seams/link.ts";
import { ManualClock } from "../../../src/seams/manual-clock.ts";
import { TransportError } from "../../../src/seams/transport.ts";

type AgentMeters = Meters<typeof AGENT_METRICS>;

async function valuesOf(meters: AgentMeters): Promise<ReadonlyMap<string, number>> {
  const lines = (await expose([meters])).text.split("\n").filter((line) => /^[a-z]/.test(line));
  return new Map(lines.map((line) => [line.slice(0, line.lastIndexOf(" ")), Number(line.split(" ").at(-1))]));
}

function run(image: string, attempt = 0): ContainerRun {
  return {
    ref: { podUid: "u", container: "c", attempt },
    pod: {
      ...{ uid: "u", namespace: "default", name: "p", hostname: "p", hostNetwork: false, sharesNamespaces: false },
      ...{ shareProcessNamespace: false, workload: "p", ports: [], hostAliases: [] },
    },
    spec: { name: "c", image },
    ...{ env: {}, mounts: [], limits: { cpuRequestMillis: 1 } },
  };
}

function fake() {
  const clock = new ManualClock();
  const meters: AgentMeters = new Meters(AGENT_METRICS);
  return { clock, meters, driver: meteredDriver(new FakeDriver({ machine: new FakeMachine(clock) }), clock, meters) };
}

describe("an agent counts", () => {
  test("what its drivers do, by operation and result, and which starts were restarts", async () => {
    const { meters, driver } = fake();
    await driver.start(run("fake/run"));
    await driver.start(run("fake/run", 1));
    await assert.rejects(driver.start(run("fake/broken", 2)));
    await driver.describe();
    const values = await valuesOf(meters);
    const of = (result: string) =>
      values.get(`styr_driver_operations_total{driver="fake",operation="start",result="${result}"}`);
    assert.equal(of("ok"), 2);
    assert.equal((of("error") ?? 0) + (of("retry") ?? 0), 1);
    assert.equal(values.get('styr_container_starts_total{driver="fake"}'), 2);
    assert.equal(values.get('styr_container_restarts_total{driver="fake"}'), 1);
    assert.equal(values.get('styr_driver_ready{driver="fake"}'), 1);
    assert.equal(values.get('styr_driver_operation_duration_seconds_count{driver="fake",operation="start"}'), 3);
  });

  test("a failure that will be tried again apart from one that will not", async () => {
    const clock = new ManualClock();
    const meters: AgentMeters = new Meters(AGENT_METRICS);
    const answers = [true, false].map((temporary) => new DriverError("x", { temporary, reason: "X" }));
    const broken = { name: "docker", list: () => Promise.reject(answers.shift()) } as unknown as Driver;
    const driver = meteredDriver(broken, clock, meters);
    await assert.rejects(driver.list());
    await assert.rejects(driver.list());
    const values = await valuesOf(meters);
    for (const result of ["retry", "error"])
      assert.equal(values.get(`styr_driver_operations_total{driver="docker",operation="list",result="${result}"}`), 1);
  });

  test("images that were pulled, and not those that were there", async () => {
    const { meters, driver } = fake();
    await assert.rejects(driver.prepare(run("fake/missing"), {}));
    const values = await valuesOf(meters);
    assert.equal(values.get('styr_image_pull_duration_seconds_count{result="failed"}'), 1);
    assert.equal(values.get('styr_image_pull_duration_seconds_count{result="ok"}'), undefined);
  });

  test("and its driver has the same optional abilities as before, and no others", () => {
    const { driver } = fake();
    assert.equal(typeof driver.logs, "function");
    const bare = meteredDriver({ name: "unit" } as Driver, new ManualClock(), new Meters(AGENT_METRICS));
    assert.equal(bare.logs, undefined);
    assert.equal(bare.probe, undefined);
  });

  test("probes as Kubernetes judges them", async () => {
    const meters: AgentMeters = new Meters(AGENT_METRICS);
    const statuses = [200, 302, 500];
    const transport = meteredTransport(
      {
        httpGet: async () => ({ status: statuses.shift() ?? 0 }),
        tcpConnect: () => Promise.reject(new TransportError("no")),
      },
      meters,
    );
    for (let n = 0; n < 3; n++) await transport.httpGet({ url: "http://x", timeoutMs: 1 });
    await assert.rejects(transport.tcpConnect("x", 1, 1));
    const values = await valuesOf(meters);
    assert.equal(values.get('styr_probes_total{kind="http",result="success"}'), 2);
    assert.equal(values.get('styr_probes_total{kind="http",result="failure"}'), 1);
    assert.equal(values.get('styr_probes_total{kind="tcp",result="failure"}'), 1);
  });

  test("how old its last answered heartbeat is, and how long the answer took", async () => {
    const clock = new ManualClock();
    const meters: AgentMeters = new Meters(AGENT_METRICS);
    let hear: (news: HeartbeatNews) => void = () => assert.fail("not started");
    const plain: Heartbeats = {
      watchesAgent: false,
      stop() {},
      show() {},
      start: (_beater, heard) => {
        hear = heard;
      },
    };
    const heard: HeartbeatNews[] = [];
    const beater = { node: "n", bootId: "b", session: "s" };
    meteredHeartbeats(plain, clock, meters).start(beater, (news) => heard.push(news));
    assert.equal((await valuesOf(meters)).get("styr_heartbeat_age_seconds"), undefined);
    const sentAtMs = clock.monotonic();
    await clock.advance(30);
    hear({ sentAtMs, known: true } as HeartbeatNews);
    await clock.advance(2_000);
    const values = await valuesOf(meters);
    assert.equal(values.get("styr_heartbeat_age_seconds"), 2.03);
    assert.equal(values.get('styr_heartbeat_round_trip_seconds_bucket{le="0.1"}'), 1);
    assert.equal(values.get('styr_heartbeat_round_trip_seconds_bucket{le="0.02"}'), 0);
    assert.equal(heard.length, 1);
  });

  test("its dials, whether it has a link, and what goes over it", async () => {
    const meters: AgentMeters = new Meters(AGENT_METRICS);
    let far: LinkListener | undefined;
    const answers = ["refused", "failed", "ok", "ok"];
    const dialer = meteredDialer(
      {
        async dial(listener) {
          const answer = answers.shift();
          if (answer !== "ok") throw new LinkError("no", answer === "refused");
          far = listener;
          return { send() {}, sendBytes() {}, close() {} };
        },
      },
      meters,
    );
    const heard: string[] = [];
    const listener = { frame: (text: string) => heard.push(text), closed: () => {} };
    const { signal } = new AbortController();
    await assert.rejects(dialer.dial(listener, signal));
    await assert.rejects(dialer.dial(listener, signal));
    const link = await dialer.dial(listener, signal);
    link.send("hello");
    link.sendBytes?.(new Uint8Array(10));
    far?.frame("you");
    let values = await valuesOf(meters);
    for (const result of ["refused", "failed", "ok"])
      assert.equal(values.get(`styr_agent_dials_total{result="${result}"}`), 1);
    assert.equal(values.get("styr_agent_link_connected"), 1);
    assert.equal(values.get('styr_agent_link_bytes_total{direction="out"}'), 15);
    assert.equal(values.get('styr_agent_link_frames_total{direction="in"}'), 1);
    assert.deepEqual(heard, ["you"]);
    far?.closed("cut");
    link.close("and closed");
    values = await valuesOf(meters);
    assert.equal(values.get("styr_agent_link_connected"), 0);
    await dialer.dial(listener, signal);
    assert.equal((await valuesOf(meters)).get("styr_agent_link_connected"), 1);
  });
});
