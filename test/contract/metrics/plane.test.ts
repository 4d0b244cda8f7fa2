/** A control plane with a fake agent in one process: what it does is what /metrics says. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { ControlPlane } from "../../../src/app/control-plane.ts";
import { PlaneMeters } from "../../../src/app/metered/plane-meters.ts";
import { personalities } from "../../../src/app/personalities.ts";
import { Meters } from "../../../src/metrics/meters.ts";
import { SERVER_METRICS } from "../../../src/metrics/server-metrics.ts";
import { nodes } from "../../../src/model/node.ts";
import { pods } from "../../../src/model/pod.ts";
import { SystemClock } from "../../../src/seams/clock.ts";
import { silentLog } from "../../../src/seams/log.ts";
import { SeededRandom } from "../../../src/seams/random.ts";
import { JournalRefusal } from "../../../src/store/journal.ts";
import { MemoryJournal } from "../../../src/store/journals/memory.ts";
import { node, pod } from "../../cli/objects.ts";
import { echoAccess } from "../../cli/server.ts";

const connection = { actor: { name: "ann", roles: ["admin"] }, remoteAddress: "local", origin: "http://x" } as const;
const DEADLINE_MS = 5_000;

class FullDisk extends MemoryJournal {
  isFull = false;
  override async append(...args: Parameters<MemoryJournal["append"]>): Promise<void> {
    if (this.isFull) throw new JournalRefusal("disk full");
    return super.append(...args);
  }
}

describe("what a control plane counts:", () => {
  const journal = new FullDisk();
  const meters = new Meters(SERVER_METRICS);
  let plane: ControlPlane;

  before(async () => {
    plane = await ControlPlane.open({
      ...{ journal, meters, personalities, clock: new SystemClock(), random: new SeededRandom("m"), log: silentLog },
      ...{ strategy: "spread", address: "x:1", hostname: "h", version: "1.0.0", nodeAccess: echoAccess },
    });
    plane.start();
  });
  after(() => plane.stop());

  const ask = (path: string, method = "GET") =>
    plane.mounted.handle(new Request(`http://x${path}`, { method }), connection);

  async function scrape(): Promise<ReadonlyMap<string, number>> {
    const lines = (await (await ask("/metrics")).text()).split("\n").filter((line) => /^[a-z]/.test(line));
    const at = (line: string) => line.lastIndexOf(" ");
    return new Map(lines.map((line) => [line.slice(0, at(line)), Number(line.slice(at(line)))]));
  }

  async function until(what: string, isSo: (values: ReadonlyMap<string, number>) => boolean) {
    const deadline = Date.now() + DEADLINE_MS;
    for (;;) {
      const values = await scrape();
      if (isSo(values)) return values;
      if (Date.now() > deadline) assert.fail(`not within ${DEADLINE_MS} ms: ${what}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  test("a pod's way to its node is an attempt that bound, and a time", async () => {
    await plane.store.update((tx) => void tx.create(nodes, node("n1")));
    await plane.store.update((tx) => void tx.create(pods, pod("web-a", {})));
    const values = await until(
      "a pod bound",
      (all) => (all.get('styr_scheduler_attempts_total{result="bound"}') ?? 0) > 0,
    );
    assert.equal(values.get('styr_scheduler_attempts_total{result="bound"}'), 1);
    await until("its time", (all) => all.get("styr_scheduling_duration_seconds_count") === 1);
    assert.equal(values.get("styr_scheduler_queue_length"), 0);
    assert.equal(values.get('styr_store_objects{kind="Pod"}'), 1);
  });

  test("a pod that fits nowhere is an attempt that was refused, and waits in the queue", async () => {
    const wanted = pod("big", {});
    const selecting = { ...wanted, spec: { ...wanted.spec, nodeSelector: { no: "where" } } };
    await plane.store.update((tx) => void tx.create(pods, selecting));
    const values = await until(
      "a refusal",
      (all) => (all.get('styr_scheduler_attempts_total{result="refused"}') ?? 0) > 0,
    );
    assert.equal(values.get("styr_scheduler_queue_length"), 1);
  });

  test("requests are counted by the route's pattern, never by what was in the path", async () => {
    await ask("/styr/v1/workloads/some-name/why");
    const values = await scrape();
    const line = 'styr_http_requests_total{api="styr",route="/styr/v1/workloads/:name/why",method="GET",code="404"}';
    assert.equal(values.get(line), 1);
    assert.ok(![...values.keys()].some((key) => key.includes("some-name")));
    assert.ok((values.get("styr_http_requests_in_flight") ?? 0) >= 1, "the scrape itself is in flight");
  });

  test("writes are timed, and refused ones counted", async () => {
    const before = await scrape();
    assert.ok((before.get("styr_journal_append_duration_seconds_count") ?? 0) > 0);
    assert.ok((before.get("styr_journal_changes_total") ?? 0) >= 3);
    journal.isFull = true;
    await assert.rejects(plane.store.update((tx) => void tx.create(pods, pod("lost", {}))));
    const values = await scrape();
    journal.isFull = false;
    assert.equal(values.get("styr_journal_refusals_total"), (before.get("styr_journal_refusals_total") ?? 0) + 1);
    assert.equal(values.get("styr_store_writes"), 0);
  });

  test("controllers have their time and their queues", async () => {
    const values = await scrape();
    const times = [...values.keys()].filter((key) =>
      key.startsWith("styr_controller_reconcile_duration_seconds_count"),
    );
    assert.ok(times.length > 0);
    assert.ok([...values.keys()].some((key) => key.startsWith('styr_controller_queue_length{controller="endpoints"')));
  });

  test("a server with a store of its own leads", async () => {
    assert.equal((await scrape()).get("styr_leader"), 1);
  });

  test("too many requests are counted as such", () => {
    const counting = new PlaneMeters({ clock: new SystemClock(), log: silentLog });
    const served = { api: "styr", route: "/x", method: "GET", status: 429, tookMs: 1 };
    counting.served(served as Parameters<PlaneMeters["served"]>[0]);
    const found = counting.meters.series().find(({ definition }) => definition.name === "styr_http_rate_limited_total");
    assert.deepEqual(found?.samples, [{ labels: ["styr"], value: 1 }]);
  });
});

describe("what a refusal says of itself:", () => {
  test("each has an id in its header, other requests have other ids, and answers that are well have none", async () => {
    const plane = await ControlPlane.open({
      ...{ journal: new MemoryJournal(), personalities, clock: new SystemClock(), random: new SeededRandom("m") },
      ...{
        strategy: "spread",
        address: "x:1",
        hostname: "h",
        version: "1.0.0",
        nodeAccess: echoAccess,
        log: silentLog,
      },
    });
    const ask = async (path: string) =>
      (await plane.mounted.handle(new Request(`http://x${path}`), connection)).headers.get("Styrmann-Request");
    const [first, second] = [await ask("/styr/v1/nothing"), await ask("/styr/v1/workloads/none/why")];
    assert.match(first ?? "", /^[a-z0-9]{6}-\w+$/);
    assert.notEqual(first, second);
    assert.equal(await ask("/styr/v1/version"), null);
    await plane.stop();
  });
});
