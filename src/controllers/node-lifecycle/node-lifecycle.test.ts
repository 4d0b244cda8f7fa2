import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { nodes } from "../../model/node.ts";
import { isOnLostNode } from "../../model/node-state.ts";
import type { Toleration } from "../../model/pod.ts";
import { MemoryJournal } from "../../store/journals/memory.ts";
import type { TestCluster } from "./test-cluster.ts";
import { testClusters } from "./test-clusters.ts";
import { SlowJournal } from "./test-slow-journal.ts";

const FIVE = ["n1", "n2", "n3", "n4", "n5"];
const cluster = testClusters(FIVE);

const held = (c: TestCluster) => c.lifecycle.brake?.nodes ?? [];

const KEEP = { spec: { whenUnreachable: { action: "keep" } } } as const;
const EXCLUSIVE = { owner: "db", spec: { exclusive: true } } as const;

describe("node lifecycle: a silent node", () => {
  test("is suspect after 3 s, which only shows", async () => {
    const c = await cluster();
    const before = c.store.revision;
    c.silence("n1");
    await c.advance(4_000);
    assert.equal(c.lifecycle.stateOf("n1")?.state, "suspect");
    assert.match(c.lifecycle.stateOf("n1")?.words ?? "", /silent for 4 s/);
    assert.equal(c.store.revision, before);
    await c.back("n1");
    assert.equal(c.lifecycle.stateOf("n1")?.state, "ready");
  });

  test("is unreachable after 8 s: Ready is Unknown, two taints, its pods are not ready and are replaced", async () => {
    const c = await cluster();
    await c.run("web-1", "n1");
    await c.run("web-2", "n2");
    c.silence("n1");
    await c.advance(7_000);
    assert.deepEqual(c.lost, []);
    await c.advance(2_000);
    assert.equal(c.lifecycle.stateOf("n1")?.state, "unreachable");
    assert.equal(c.condition(c.node("n1"), "Ready"), "Unknown NodeStatusUnknown");
    const taints = (c.node("n1").spec.taints ?? []).map(({ key, effect }) => `${key}:${effect}`);
    assert.deepEqual(taints, ["node.kubernetes.io/unreachable:NoSchedule", "node.kubernetes.io/unreachable:NoExecute"]);
    assert.equal(c.condition(c.pod("web-1"), "Ready"), "False NodeLost");
    assert.deepEqual(c.lost, ["web-1"]);
    assert.equal(c.condition(c.pod("web-2"), "Ready"), "True");
    assert.match(
      c
        .events("NodeUnreachable")
        .map(({ message }) => message)
        .join(),
      /silent for 8 s/,
    );
  });

  test("is asked for with what the cluster has set, also while it is silent", async () => {
    const c = await cluster();
    await c.run("web-1", "n1");
    c.silence("n1");
    await c.advance(2_000);
    await c.set({ unreachableAfterMs: 4_000 });
    await c.advance(3_000);
    assert.deepEqual(c.lost, ["web-1"]);
  });

  test("that beats on is never touched, and its leases cost no writes", async () => {
    const c = await cluster();
    await c.run("web-1", "n1");
    const before = c.store.revision;
    await c.advance(120_000);
    assert.equal(c.store.revision, before);
  });
});

describe("node lifecycle: what a pod asks for when its node is lost", () => {
  test("keep: it stays as it is, and is not ready", async () => {
    const c = await cluster();
    await c.run("web-1", "n1", KEEP);
    c.silence("n1");
    await c.advance(600_000);
    assert.deepEqual(c.lost, []);
    assert.ok(isOnLostNode(c.pod("web-1") ?? assert.fail("it is there")));
  });

  test("replace after 30 s: not before 38 s of silence", async () => {
    const c = await cluster();
    await c.run("web-1", "n1", { spec: { whenUnreachable: { action: "replace", afterMs: 30_000 } } });
    c.silence("n1");
    await c.advance(37_000);
    assert.deepEqual(c.lost, []);
    await c.advance(3_000);
    assert.deepEqual(c.lost, ["web-1"]);
  });

  test("Kubernetes' tolerations are obeyed as written", async () => {
    const c = await cluster();
    const tolerations: readonly Toleration[] = [
      { key: "node.kubernetes.io/unreachable", operator: "Exists", effect: "NoExecute", tolerationSeconds: 20 },
    ];
    await c.run("web-1", "n1", { spec: { tolerations } });
    c.silence("n1");
    await c.advance(27_000);
    assert.deepEqual(c.lost, []);
    await c.advance(3_000);
    assert.deepEqual(c.lost, ["web-1"]);
  });

  test("a pod that nobody would make again stays for its node to come back", async () => {
    const c = await cluster();
    await c.run("lonely", "n1", { owner: "" });
    c.silence("n1");
    await c.advance(60_000);
    assert.deepEqual(c.lost, []);
  });

  test("a pod that is being deleted there is forgotten after its grace, so that nothing waits for it for ever", async () => {
    const c = await cluster();
    await c.run("web-1", "n1", KEEP);
    c.silence("n1");
    await c.advance(10_000);
    await c.delete("web-1", 20);
    await c.advance(15_000);
    assert.ok(c.pod("web-1"), "its grace is not over");
    await c.advance(10_000);
    assert.equal(c.pod("web-1"), undefined);
    assert.match(c.events("Forgotten")[0]?.message ?? "", /stopped when it is back/);
  });
});

describe("node lifecycle: a node that returns", () => {
  test("takes pods again, and its lost pods count again once its agent has told how they are", async () => {
    const c = await cluster();
    await c.run("web-1", "n1");
    c.silence("n1");
    await c.advance(14_000);
    await c.back("n1");
    assert.equal(c.condition(c.node("n1"), "Ready"), "True AgentReady");
    assert.deepEqual(c.node("n1").spec.taints, []);
    assert.deepEqual(c.lost, ["web-1"], "nobody knows yet whether it runs");
    await c.report("web-1");
    assert.equal(c.disruption("web-1"), "False NodeReturned");
    assert.match(c.events("NodeBack")[0]?.message ?? "", /^back after 14 s: was cut off$/);
  });

  test("counts its lost pods again after 10 s even if nothing is told of them", async () => {
    const c = await cluster();
    await c.run("web-1", "n1");
    c.silence("n1");
    await c.advance(14_000);
    await c.back("n1");
    await c.advance(12_000);
    assert.equal(c.disruption("web-1"), "False NodeReturned");
  });

  test("with a new boot id was rebooted", async () => {
    const c = await cluster();
    c.silence("n1");
    await c.advance(70_000);
    await c.back("n1", true);
    assert.match(c.events("NodeBack")[0]?.message ?? "", /^back after 70 s: was rebooted$/);
  });

  test("a heartbeat that comes late or twice is no sign of life", async () => {
    const c = await cluster();
    await c.run("web-1", "n1");
    c.silence("n1");
    await c.advance(6_000);
    c.beat("n1", 1);
    await c.advance(3_000);
    assert.deepEqual(c.lost, ["web-1"]);
    c.beat("n1", 2);
    assert.equal(c.lifecycle.stateOf("n1")?.state, "unreachable");
  });

  test("its pods that wait for their turn to be replaced are left alone", async () => {
    const c = await cluster({ settings: { movesBurst: 1, movesPerSecond: 0.1 } });
    for (const n of [1, 2, 3]) await c.run(`web-${n}`, "n1");
    c.silence("n1");
    await c.advance(9_000);
    assert.equal(c.lost.length, 1);
    await c.back("n1");
    await c.advance(60_000);
    assert.equal(c.lost.length, 0);
    assert.equal(c.events("NodeUnreachable").filter(({ involvedObject }) => involvedObject.kind === "Pod").length, 1);
  });
});

describe("node lifecycle: the brake", () => {
  test("three of five silent at once: nothing of theirs is moved, and the first is not quicker than the brake", async () => {
    const c = await cluster();
    for (const n of [1, 2, 3]) await c.run(`web-${n}`, `n${n}`);
    c.silence("n1");
    await c.advance(1_000);
    c.silence("n2");
    await c.advance(1_000);
    c.silence("n3");
    await c.advance(300_000);
    assert.deepEqual(c.lost, []);
    assert.equal(c.condition(c.node("n1"), "Ready"), "Unknown BrakeHolds");
    assert.deepEqual(c.node("n1").spec.taints ?? [], []);
    assert.equal(c.condition(c.pod("web-1"), "Ready"), "True");
    assert.deepEqual(held(c), ["n1", "n2", "n3"]);
    assert.equal(c.lifecycle.brake?.zones, "cluster");
    assert.match(c.lifecycle.stateOf("n1")?.words ?? "", /the brake holds: 3 of 5 nodes fell silent/);
    assert.equal(c.events("BrakeHolds").length, 1);
    assert.match(c.events("BrakeHolds")[0]?.message ?? "", /styr brake release/);
  });

  test("two of five are not that many", async () => {
    const c = await cluster();
    for (const n of [1, 2]) await c.run(`web-${n}`, `n${n}`);
    c.silence("n1", "n2");
    await c.advance(9_000);
    assert.deepEqual(held(c), []);
    assert.deepEqual(c.lost, ["web-1", "web-2"]);
  });

  test("one of one is not that many", async () => {
    const c = await cluster({ nodes: ["n1"] });
    await c.run("web-1", "n1");
    c.silence("n1");
    await c.advance(9_000);
    assert.deepEqual(c.lost, ["web-1"]);
  });

  test("ends by itself when enough are back; those still silent have the full time from then on", async () => {
    const c = await cluster();
    for (const n of [1, 2, 3]) await c.run(`web-${n}`, `n${n}`);
    c.silence("n1", "n2", "n3");
    await c.advance(20_000);
    await c.back("n3");
    assert.deepEqual(held(c), []);
    assert.equal(c.events("BrakeEnded").length, 1);
    await c.advance(7_000);
    assert.deepEqual(c.lost, []);
    await c.advance(2_000);
    assert.deepEqual(c.lost, ["web-1", "web-2"]);
    assert.equal(c.condition(c.node("n3"), "Ready"), "True AgentReady");
  });

  test("is let go of by a person for the nodes that are silent, and holds the next mass failure anew", async () => {
    const c = await cluster({ nodes: ["n1", "n2", "n3", "n4", "n5", "n6", "n7"] });
    for (const n of [1, 2, 3, 4, 5]) await c.run(`web-${n}`, `n${n}`);
    c.silence("n1", "n2", "n3", "n4");
    await c.advance(20_000);
    assert.deepEqual(c.lifecycle.releaseBrake(["n1"], "alice"), ["n1"]);
    await c.advance(2_000);
    assert.deepEqual(c.lost, ["web-1"]);
    assert.deepEqual(held(c), ["n2", "n3", "n4"]);
    assert.deepEqual(c.lifecycle.releaseBrake(undefined, "alice"), ["n2", "n3", "n4"]);
    assert.deepEqual(held(c), []);
    await c.advance(2_000);
    assert.deepEqual(c.lost, ["web-1", "web-2", "web-3", "web-4"]);
    c.silence("n5", "n6");
    await c.advance(20_000);
    assert.deepEqual(held(c), ["n5", "n6"], "two of the three that were left");
    assert.match(c.events("BrakeReleased")[0]?.message ?? "", /alice/);
  });

  test("holds on after a restart of the control plane", async () => {
    const c = await cluster({ settings: { startGraceMs: 30_000 } });
    await c.advance(30_000);
    for (const n of [1, 2, 3]) await c.run(`web-${n}`, `n${n}`);
    c.silence("n1", "n2", "n3");
    await c.advance(100_000);
    await c.restart();
    await c.advance(100_000);
    assert.deepEqual(held(c), ["n1", "n2", "n3"]);
    assert.deepEqual(c.lost, []);
    assert.equal(c.condition(c.node("n1"), "Ready"), "Unknown BrakeHolds");
    for (const n of [1, 2, 3]) await c.back(`n${n}`);
    assert.equal(c.condition(c.node("n1"), "Ready"), "True AgentReady");
  });

  test("let go of while a grace runs, the nodes are lost when that is over", async () => {
    const c = await cluster({ settings: { startGraceMs: 30_000 } });
    await c.advance(30_000);
    await c.run("web-1", "n1");
    c.silence("n1", "n2", "n3");
    await c.advance(10_000);
    const monotonic = c.clock.monotonic.bind(c.clock);
    c.clock.monotonic = () => monotonic() + 20_000;
    await c.advance(2_000);
    assert.equal(c.lifecycle.releaseBrake(undefined, "alice").length, 3);
    await c.advance(15_000);
    assert.deepEqual(c.lost, []);
    await c.advance(20_000);
    assert.deepEqual(c.lost, ["web-1"]);
  });

  test("of one zone holds that zone only", async () => {
    const zones = ["a", "a", "a", "b", "b", "b", "c", "c", "c"];
    const c = await cluster({ nodes: zones.map((zone, at) => ({ name: `n${at + 1}`, zone })) });
    await c.run("web-1", "n1");
    await c.run("web-4", "n4");
    c.silence("n1", "n2", "n4");
    await c.advance(60_000);
    assert.deepEqual(c.lifecycle.brake?.zones, ["a"]);
    assert.deepEqual(held(c), ["n1", "n2"]);
    assert.deepEqual(c.lost, ["web-4"]);
  });

  test("nodes that died long before, or said goodbye, count neither as silent nor as alive", async () => {
    const c = await cluster({ nodes: ["n1", "n2", "n3", "n4", "n5", "n6"] });
    await c.run("web-4", "n4");
    c.silence("n1");
    await c.advance(100_000);
    c.goodbye("n2");
    c.silence("n4", "n5");
    await c.advance(10_000);
    assert.deepEqual(held(c), [], "2 of the 4 that were alive are not more than half");
    assert.deepEqual(c.lost, ["web-4"]);
    c.silence("n6");
    await c.advance(10_000);
    assert.deepEqual(held(c), ["n4", "n5", "n6"]);
  });

  test("Node objects that no agent ever spoke for count neither as silent nor as alive, also after a restart", async () => {
    const c = await cluster({ nodes: ["n1", "n2", "n3"] });
    await c.run("web-3", "n3");
    for (const n of [1, 2, 3, 4, 5]) {
      c.silence(`made-up-${n}`);
      await c.addNode({ name: `made-up-${n}` });
    }
    await c.advance(20_000);
    assert.deepEqual(held(c), []);
    assert.equal(c.condition(c.node("made-up-1"), "Ready"), "Unknown NodeStatusNeverUpdated");
    assert.match(
      c.lifecycle.stateOf("made-up-1")?.words ?? "",
      /^silent since it was made: no agent has ever reported/,
    );
    await c.restart();
    await c.advance(10_000);
    assert.deepEqual(held(c), []);
    c.silence("n3");
    await c.advance(9_000);
    assert.deepEqual(held(c), []);
    assert.deepEqual(c.lost, ["web-3"]);
    await c.back("made-up-1");
    assert.equal(c.condition(c.node("made-up-1"), "Ready"), "True AgentReady");
    c.silence("n2", "made-up-1");
    await c.advance(20_000);
    assert.deepEqual(held(c), ["made-up-1", "n2", "n3"], "one that has been heard counts as any other");
  });

  test("one that is away by its own word makes the others no stronger: two of the three that were left are too many", async () => {
    const c = await cluster({ nodes: ["n1", "n2", "n3", "n4"] });
    c.goodbye("n1");
    c.silence("n2", "n3");
    await c.advance(20_000);
    assert.deepEqual(held(c), ["n2", "n3"]);
  });

  test("stops what was begun: of nodes that fell just before, nothing more is moved", async () => {
    const c = await cluster({ settings: { movesBurst: 1, movesPerSecond: 0.1 } });
    for (const n of [1, 2, 3, 4]) await c.run(`web-${n}`, "n1");
    c.silence("n1");
    await c.advance(10_000);
    assert.equal(c.lost.length, 1);
    c.silence("n2", "n3");
    await c.advance(100_000);
    assert.deepEqual(held(c), ["n1", "n2", "n3"]);
    assert.ok(c.lost.length <= 2, `${c.lost.length} were moved`);
  });
});

describe("node lifecycle: when it could not hear", () => {
  test("after its start nobody's silence counts for the grace, heard since or not", async () => {
    const c = await cluster({ settings: { startGraceMs: 30_000 } });
    await c.advance(30_000);
    await c.run("web-1", "n1");
    c.silence("n1");
    await c.advance(6_000);
    await c.restart();
    c.beat("n1", 1_000);
    await c.advance(28_000);
    assert.deepEqual(c.lost, []);
    await c.advance(3_000);
    assert.deepEqual(c.lost, ["web-1"]);
  });

  test("after it stood still itself everybody has a full lease", async () => {
    // The brake would help as well.
    const c = await cluster({ settings: { startGraceMs: 30_000, brakeAtLeast: 100 } });
    await c.advance(30_000);
    await c.run("web-1", "n1");
    await c.run("web-2", "n2");
    const { clock } = c;
    // The process stands still: its clock goes on, its timers do not come.
    const from = clock.monotonic();
    let frozen = 20_000;
    const monotonic = clock.monotonic.bind(clock);
    clock.monotonic = () => monotonic() + frozen;
    await c.clock.advance(1_000);
    assert.ok(clock.monotonic() - from > 20_000);
    c.silence("n1");
    await c.advance(5_000);
    assert.deepEqual(c.lost, []);
    await c.advance(40_000);
    assert.deepEqual(c.lost, ["web-1"]);
    frozen = 0;
  });

  test("a node that was lost before a restart stays lost, and nothing more of it moves before the grace", async () => {
    const c = await cluster({ settings: { startGraceMs: 30_000, movesBurst: 1, movesPerSecond: 1 } });
    await c.advance(30_000);
    for (const n of [1, 2]) await c.run(`web-${n}`, "n1");
    c.silence("n1");
    await c.advance(8_000);
    const { length } = c.lost;
    assert.equal(length, 1);
    await c.restart();
    assert.equal(c.lifecycle.stateOf("n1")?.state, "unreachable");
    await c.advance(25_000);
    assert.equal(c.lost.length, length);
    await c.advance(7_000);
    assert.equal(c.lost.length, 2);
    await c.back("n1");
    await c.advance(12_000);
    assert.deepEqual(c.lost, []);
  });
});

describe("node lifecycle: goodbye", () => {
  test("a node that said it reboots is waited for, its exclusive pods too", async () => {
    const c = await cluster();
    await c.run("web-1", "n1");
    await c.run("db-1", "n1", EXCLUSIVE);
    c.goodbye("n1");
    await c.advance(60_000);
    assert.equal(c.lifecycle.stateOf("n1")?.state, "restarting");
    await c.advance(110_000);
    assert.deepEqual(c.lost, []);
    await c.back("n1", true);
    assert.equal(c.lifecycle.stateOf("n1")?.state, "ready");
    assert.match(c.events("NodeBack")[0]?.message ?? "", /was rebooted, as announced/);
  });

  test("new pods go elsewhere while it reboots", async () => {
    const c = await cluster();
    c.goodbye("n1");
    c.goodbye("n2", "agent-restart");
    await c.advance(1_000);
    assert.equal(c.condition(c.node("n1"), "Healthy"), "False Restarting");
    assert.equal(c.condition(c.node("n2"), "Healthy"), "");
    await c.back("n1", true);
    await c.advance(6_000);
    assert.equal(c.condition(c.node("n1"), "Healthy"), "True Well");
  });

  test("one that is not back after the grace is lost", async () => {
    const c = await cluster();
    await c.run("web-1", "n1");
    c.goodbye("n1");
    await c.advance(179_000);
    assert.deepEqual(c.lost, []);
    await c.advance(3_000);
    assert.deepEqual(c.lost, ["web-1"]);
  });

  test("one that a person takes down is waited for by nobody: its pods take no requests at once, and others are started, whatever they ask for", async () => {
    const c = await cluster();
    await c.run("web-1", "n1");
    await c.run("patient-1", "n1", { spec: { whenUnreachable: { action: "replace", afterMs: 3_600_000 } } });
    c.goodbye("n1", "down");
    await c.advance(10);
    assert.equal(c.condition(c.node("n1"), "Ready"), "Unknown NodeStatusUnknown");
    assert.match(c.lifecycle.stateOf("n1")?.words ?? "", /^taken down 0 s ago \(styr down\): its pods are replaced$/);
    await c.advance(1_000);
    assert.deepEqual(c.lost, ["patient-1", "web-1"]);
  });

  test("what one that was taken down has sent before brings it not back; its next agent does", async () => {
    const c = await cluster();
    c.goodbye("n1", "down");
    await c.advance(10);
    c.beat("n1");
    await c.advance(10);
    assert.equal(c.lifecycle.stateOf("n1")?.state, "unreachable");
    await c.back("n1", true);
    assert.equal(c.lifecycle.stateOf("n1")?.state, "ready");
  });

  test("nodes that are taken down are no mass that the brake holds, and an exclusive pod waits for its time", async () => {
    const c = await cluster();
    await c.run("db-1", "n1", EXCLUSIVE);
    for (const name of ["n1", "n2", "n3"]) c.goodbye(name, "down");
    await c.advance(1_000);
    assert.equal(c.lifecycle.brake, undefined);
    assert.deepEqual(c.lost, []);
    await c.advance(60_000);
    assert.deepEqual(c.lost, ["db-1"]);
  });

  test("a control plane that starts meanwhile waits for it as long, and forgets it when it is back", async () => {
    const c = await cluster();
    await c.run("web-1", "n1");
    await c.run("db-1", "n1", EXCLUSIVE);
    c.goodbye("n1");
    await c.advance(5_000);
    await c.restart();
    assert.equal(c.lifecycle.stateOf("n1")?.state, "restarting");
    await c.advance(160_000);
    assert.deepEqual(c.lost, []);
    await c.back("n1", true);
    assert.match(c.events("NodeBack")[0]?.message ?? "", /was rebooted, as announced/);
    assert.equal(c.node("n1").metadata.annotations?.["styrmann.dev/away"], undefined);
  });

  test("one that is not back after the grace is lost also by a control plane that started meanwhile", async () => {
    const c = await cluster();
    await c.run("web-1", "n1");
    c.goodbye("n1");
    await c.advance(5_000);
    await c.restart();
    await c.advance(179_000);
    assert.deepEqual(c.lost, ["web-1"]);
  });

  test("what the agent said before its goodbye, and arrives after it, changes nothing", async () => {
    const c = await cluster();
    await c.run("web-1", "n1");
    c.goodbye("n1");
    c.beat("n1");
    await c.advance(60_000);
    assert.deepEqual(c.lost, []);
  });

  test("a goodbye of the agent before the one that runs now promises nothing", async () => {
    const c = await cluster();
    await c.back("n1", true);
    assert.throws(
      () => void c.lifecycle.goodbye({ node: "n1", session: "n1-1", why: "reboot" }),
      /began after the one that says goodbye/,
    );
  });

  test("a node that is lost already is told that its goodbye comes too late", async () => {
    const c = await cluster();
    c.silence("n1");
    await c.advance(10_000);
    assert.throws(() => c.goodbye("n1"), /too late/);
  });
});

describe("node lifecycle: exclusive pods", () => {
  test("are given away after 40 s of silence, not after 8", async () => {
    const c = await cluster();
    await c.run("db-1", "n1", EXCLUSIVE);
    c.silence("n1");
    await c.advance(39_000);
    assert.equal(c.lifecycle.stateOf("n1")?.state, "unreachable");
    assert.deepEqual(c.lost, []);
    await c.advance(2_000);
    assert.deepEqual(c.lost, ["db-1"]);
  });

  test("one that is being deleted there holds its place as long", async () => {
    const c = await cluster();
    await c.run("db-1", "n1", EXCLUSIVE);
    c.silence("n1");
    await c.advance(10_000);
    await c.delete("db-1", 1);
    await c.advance(29_000);
    assert.ok(c.pod("db-1"));
    assert.deepEqual(c.lost, []);
    await c.advance(3_000);
    assert.equal(c.pod("db-1"), undefined, "it is given away, and then forgotten");
  });

  test("a heartbeat while a give-away is written, and until its end is written, renews nothing", async () => {
    const journal = new SlowJournal();
    const c = await cluster({ journal });
    await c.run("db-1", "n1", EXCLUSIVE);
    c.silence("n1");
    await c.advance(39_000);
    journal.hold();
    await c.advance(2_000);
    assert.deepEqual(c.lost, [], "it is on its way to the disk");
    assert.equal(c.beat("n1").renewed, false);
    journal.go();
    await c.clock.advance(500);
    assert.equal(c.beat("n1").renewed, true, "the give-away and the return are both written");
    assert.notEqual(c.pod("db-1")?.metadata.deletionTimestamp, undefined, "final: another may run");
  });

  test("after a return they are deleted, not taken back", async () => {
    const c = await cluster();
    await c.run("db-1", "n1", EXCLUSIVE);
    await c.run("web-1", "n1");
    c.silence("n1");
    await c.advance(45_000);
    assert.equal((await c.back("n1")).renewed, false);
    await c.report("web-1");
    assert.notEqual(c.pod("db-1")?.metadata.deletionTimestamp, undefined);
    assert.equal(c.disruption("db-1"), "True NodeUnreachable");
    assert.equal(c.disruption("web-1"), "False NodeReturned");
    assert.equal(c.beat("n1").renewed, true);
  });

  test("a give-away that the journal refuses is none", async () => {
    const journal = new MemoryJournal();
    const c = await cluster({ journal });
    await c.run("db-1", "n1", EXCLUSIVE);
    c.silence("n1");
    await c.advance(39_000);
    journal.refuseWith = "disk full";
    await c.advance(10_000);
    assert.equal((await c.back("n1")).renewed, true);
    journal.refuseWith = undefined;
    await c.advance(10_000);
    assert.deepEqual(c.lost, []);
    assert.equal(c.pod("db-1")?.metadata.deletionTimestamp, undefined);
  });

  test("shorter terms do not count before the longer ones that agents may have are over", async () => {
    const c = await cluster();
    await c.advance(60_000);
    await c.run("db-1", "n1", EXCLUSIVE);
    c.silence("n1");
    await c.set({ exclusiveAfterMs: 12_000 });
    await c.advance(38_000);
    assert.deepEqual(c.lost, []);
    await c.advance(4_000);
    assert.deepEqual(c.lost, ["db-1"]);
  });
});

describe("node lifecycle: nodes that do not come back", () => {
  test("what was replaced is forgotten after a day, what is kept is kept", async () => {
    const c = await cluster({ settings: { goneAfterMs: 100_000 } });
    await c.run("web-1", "n1");
    await c.run("web-2", "n1", KEEP);
    c.silence("n1");
    await c.advance(100_000);
    assert.ok(c.pod("web-1"));
    await c.advance(15_000);
    assert.equal(c.lifecycle.stateOf("n1")?.state, "gone");
    assert.equal(c.pod("web-1"), undefined);
    assert.ok(c.pod("web-2"));
    assert.equal(c.events("NodeGone").length, 1);
    await c.back("n1");
    assert.equal(c.lifecycle.stateOf("n1")?.state, "ready");
  });

  test("pods of a node that a person deleted go after 40 s", async () => {
    const c = await cluster();
    await c.run("web-1", "n1", KEEP);
    c.silence("n1");
    await c.store.update((tx) => tx.remove(nodes, "n1"));
    await c.advance(39_000);
    assert.ok(c.pod("web-1"));
    await c.advance(2_000);
    assert.equal(c.pod("web-1"), undefined);
    assert.deepEqual({ ...c.beat("n1"), terms: {} }, { renewed: false, known: false, terms: {} });
  });

  test("unless the node is there again by then", async () => {
    const c = await cluster();
    await c.run("web-1", "n1");
    await c.store.update((tx) => tx.remove(nodes, "n1"));
    await c.advance(20_000);
    await c.addNode({ name: "n1" });
    await c.advance(60_000);
    assert.ok(c.pod("web-1"));
  });

  test("also when the control plane was restarted in between", async () => {
    const c = await cluster();
    await c.run("web-1", "n1");
    c.silence("n1");
    await c.store.update((tx) => tx.remove(nodes, "n1"));
    await c.restart();
    await c.advance(42_000);
    assert.equal(c.pod("web-1"), undefined);
  });
});

describe("node lifecycle: health words", () => {
  test("are written after 3 s, and again when it is well; nothing moves", async () => {
    const c = await cluster();
    await c.run("web-1", "n1");
    c.say("n1", "io-stalled");
    await c.advance(3_000);
    assert.equal(c.condition(c.node("n1"), "Healthy"), "");
    await c.advance(3_000);
    assert.equal(c.condition(c.node("n1"), "Healthy"), "False IOStalled");
    assert.match(c.lifecycle.stateOf("n1")?.words ?? "", /its io-stalled/);
    c.say("n1", "ok");
    await c.advance(6_000);
    assert.equal(c.condition(c.node("n1"), "Healthy"), "True Well");
    assert.deepEqual(c.lost, []);
    assert.equal(c.condition(c.pod("web-1"), "Ready"), "True");
  });

  test("a word that comes and goes is not written", async () => {
    const c = await cluster();
    const before = c.store.revision;
    for (let n = 0; n < 10; n++) {
      c.say("n1", n % 2 === 0 ? "engine-silent" : "ok");
      await c.advance(2_000);
    }
    assert.equal(c.store.revision, before);
  });

  test("one that was written by the control plane before is taken back", async () => {
    const c = await cluster();
    c.say("n1", "memory-pressure");
    await c.advance(6_000);
    await c.restart();
    c.say("n1", "ok");
    await c.advance(6_000);
    assert.equal(c.condition(c.node("n1"), "Healthy"), "True Well");
  });
});

describe("node lifecycle: the pace of moves", () => {
  test("in the cluster: the burst at once, then so many per second", async () => {
    const c = await cluster({ settings: { movesBurst: 4, movesPerSecond: 2, workloadMovesBurst: 100 } });
    for (let n = 0; n < 20; n++) await c.run(`web-${n}`, "n1", { owner: `owner-${n}` });
    c.silence("n1");
    await c.advance(8_000);
    assert.equal(c.lost.length, 4);
    await c.advance(3_000);
    assert.equal(c.lost.length, 10);
    await c.advance(6_000);
    assert.equal(c.lost.length, 20);
    assert.deepEqual(c.lifecycle.moves, { done: 20, waiting: 0 });
  });

  test("of one workload, without holding up the others", async () => {
    const c = await cluster({ settings: { workloadMovesBurst: 2, workloadMovesPerSecond: 1 } });
    for (let n = 0; n < 6; n++) await c.run(`web-${n}`, "n1", { owner: "web" });
    await c.run("zoo-1", "n1", { owner: "zoo" });
    c.silence("n1");
    await c.advance(8_000);
    assert.deepEqual(c.lost, ["web-0", "web-1", "zoo-1"]);
    await c.advance(5_000);
    assert.equal(c.lost.length, 7);
  });
});

describe("node lifecycle: the store", () => {
  test("a journal that refuses delays what is to be written, and nothing else", async () => {
    const journal = new MemoryJournal();
    const c = await cluster({ journal });
    await c.run("web-1", "n1");
    c.silence("n1");
    journal.refuseWith = "disk full";
    await c.advance(20_000);
    assert.deepEqual(c.lost, []);
    journal.refuseWith = undefined;
    await c.advance(4_000);
    assert.deepEqual(c.lost, ["web-1"]);
    assert.equal(c.condition(c.node("n1"), "Ready"), "Unknown NodeStatusUnknown");
  });

  test("what could not be written of a node alone is written later, too", async () => {
    const journal = new MemoryJournal();
    const c = await cluster({ journal });
    c.silence("n1", "n2", "n3");
    journal.refuseWith = "disk full";
    await c.advance(20_000);
    journal.refuseWith = undefined;
    await c.advance(4_000);
    assert.equal(c.condition(c.node("n1"), "Ready"), "Unknown BrakeHolds");
    assert.equal(c.events("BrakeHolds").length, 1);
  });

  test("a move that could not be written is made later", async () => {
    const journal = new MemoryJournal();
    const c = await cluster({ journal });
    await c.run("web-1", "n1", { spec: { whenUnreachable: { action: "replace", afterMs: 10_000 } } });
    c.silence("n1");
    await c.advance(12_000);
    journal.refuseWith = "disk full";
    await c.advance(20_000);
    assert.deepEqual(c.lost, []);
    journal.refuseWith = undefined;
    await c.advance(4_000);
    assert.deepEqual(c.lost, ["web-1"]);
  });

  test("whoever writes over what the lease says of a node is corrected", async () => {
    const c = await cluster();
    c.silence("n1");
    await c.advance(10_000);
    await c.store.update((tx) =>
      tx.update(nodes, { ...c.node("n1"), spec: {}, status: { ...c.node("n1").status, conditions: [] } }),
    );
    await c.advance(1_000);
    assert.equal(c.condition(c.node("n1"), "Ready"), "Unknown NodeStatusUnknown");
    assert.equal(c.node("n1").spec.taints?.length, 2);
  });
});
