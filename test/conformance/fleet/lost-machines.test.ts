import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { nodes } from "../../../src/model/node.ts";
import { disrupt, giveUp } from "../lost-node.ts";
import { type Cluster, machineId, service, withCluster } from "./cluster.ts";

const CARE = (...lines: readonly string[]) => `${service()}\n[X-Styrmann]\n${lines.join("\n")}\n`;
const machines = async (cluster: Cluster) =>
  ((await cluster.get("/machines")).body.machines ?? []).map(({ id }: { id: string }) => id[0]);
const other = (letter: string | undefined) => (letter === "a" ? "b" : "a");

describe("a machine that is lost", () => {
  test("is no longer listed, nor are its unit states, and its unit is started elsewhere", () =>
    withCluster("ab", async (cluster) => {
      await cluster.launch("one.service", service());
      await cluster.until("active", async () => (await cluster.active()).length === 1);
      const lost = (await cluster.whereIs("one.service")) ?? "";
      await cluster.lose(lost, false);
      assert.deepEqual(await machines(cluster), [other(lost)]);
      assert.deepEqual(await cluster.states(), []);
      assert.equal((await cluster.unit("one.service")).currentState, "inactive");
      await giveUp(cluster.store, lost);
      await cluster.untilActive(`one.service@${other(lost)}`);
      assert.equal((await cluster.unit("one.service")).machineID, machineId(other(lost)));
      assert.equal(cluster.pods().length, 2, "what nobody can stop now is kept until it can be");
    }));

  test("while the brake holds, it is listed with its units: nothing of it is moved", () =>
    withCluster("ab", async (cluster) => {
      await cluster.launch("one.service", service());
      await cluster.until("active", async () => (await cluster.active()).length === 1);
      const silent = (await cluster.whereIs("one.service")) ?? "";
      await cluster.store.update((tx) => {
        const node = tx.get(nodes, silent);
        const conditions = [{ type: "Ready", status: "Unknown", reason: "BrakeHolds" }] as const;
        if (node) tx.update(nodes, { ...node, status: { ...node.status, conditions } });
      });
      assert.deepEqual(await machines(cluster), ["a", "b"]);
      assert.equal((await cluster.unit("one.service")).machineID, machineId(silent));
      assert.deepEqual(await cluster.active(), [`one.service@${silent}`]);
    }));

  test("when it is back, the older copy stops", () =>
    withCluster("ab", async (cluster) => {
      await cluster.launch("one.service", service());
      await cluster.until("active", async () => (await cluster.active()).length === 1);
      const lost = (await cluster.whereIs("one.service")) ?? "";
      await cluster.lose(lost);
      await cluster.untilActive(`one.service@${other(lost)}`);
      await cluster.bringBack(lost);
      await cluster.until("one copy", () => cluster.pods().length === 1);
      assert.deepEqual(await cluster.active(), [`one.service@${other(lost)}`]);
      assert.deepEqual(cluster.machines.log.slice(-1), [`stop one.service ${lost}`]);
    }));

  test("when it is back before anything took its place, it stays as it is", () =>
    withCluster("a", async (cluster) => {
      await cluster.launch("one.service", service());
      await cluster.untilActive("one.service@a");
      await cluster.lose("a");
      await cluster.until("a successor that waits", () =>
        cluster.pods().some(({ spec }) => spec.nodeName === undefined),
      );
      await cluster.bringBack("a");
      await cluster.until("one copy", () => cluster.pods().length === 1);
      assert.deepEqual(cluster.machines.log, ["start one.service a"], "it was never stopped");
    }));

  test("a unit can be lost again and again", () =>
    withCluster("abc", async (cluster) => {
      await cluster.launch("one.service", service());
      await cluster.until("active", async () => (await cluster.active()).length === 1);
      const first = (await cluster.whereIs("one.service")) ?? "";
      await cluster.lose(first);
      await cluster.until("a second copy", async () => (await cluster.active()).length === 1);
      const second = (await cluster.whereIs("one.service")) ?? "";
      await cluster.lose(second);
      await cluster.until("a third copy", async () => (await cluster.active()).length === 1);
      await cluster.bringBack(first);
      await cluster.bringBack(second);
      await cluster.until("one copy", () => cluster.pods().length === 1);
      const third = [..."abc"].find((letter) => letter !== first && letter !== second);
      await cluster.untilActive(`one.service@${third}`);
    }));

  test("a unit that was told to stop on it is not waited for, and one that is removed stops when it is back", () =>
    withCluster("ab", async (cluster) => {
      await cluster.launch("one.service", service());
      await cluster.until("active", async () => (await cluster.active()).length === 1);
      const lost = (await cluster.whereIs("one.service")) ?? "";
      await cluster.lose(lost, false);
      await cluster.call("DELETE", "/fleet/v1/units/one.service");
      await cluster.until("asked to go", () => cluster.pods().every(({ metadata }) => metadata.deletionTimestamp));
      await cluster.launch("one.service", service());
      await cluster.untilActive(`one.service@${other(lost)}`);
      await cluster.bringBack(lost);
      await cluster.until("one copy", () => cluster.pods().length === 1);
    }));

  test("the pod of a global unit stays", () =>
    withCluster("ab", async (cluster) => {
      await cluster.launch("g.service", service("Global=true"));
      await cluster.untilActive("g.service@a", "g.service@b");
      assert.deepEqual(cluster.pods()[0]?.spec.whenUnreachable, { action: "keep" });
      await cluster.lose("a");
      await cluster.settle();
      assert.equal(cluster.pods().length, 2);
      await cluster.bringBack("a");
      await cluster.untilActive("g.service@a", "g.service@b");
      assert.deepEqual(
        cluster.machines.log.filter((line) => line.startsWith("stop")),
        [],
      );
    }));

  test("a unit that is moved is started elsewhere before it goes", () =>
    withCluster("ab", async (cluster) => {
      await cluster.launch("one.service", service("Conflicts=none"));
      await cluster.until("active", async () => (await cluster.active()).length === 1);
      const [pod] = cluster.pods();
      assert.ok(pod);
      await disrupt(cluster.store, pod, "Drain");
      await cluster.until("two copies", () => cluster.pods().length === 2);
    }));
});

describe("[X-Styrmann]", () => {
  test("Exclusive=true: it is not started elsewhere while it may still run", () =>
    withCluster("ab", async (cluster) => {
      await cluster.launch("one.service", CARE("Exclusive=true"));
      await cluster.until("active", async () => (await cluster.active()).length === 1);
      const lost = (await cluster.whereIs("one.service")) ?? "";
      assert.equal(cluster.pods()[0]?.spec.exclusive, true);
      await cluster.lose(lost, false);
      await cluster.launch("one.service", `${CARE("Exclusive=true")}# changed\n[Unit]\nDescription=new\n`);
      await cluster.until("asked to go", () => cluster.pods().every(({ metadata }) => metadata.deletionTimestamp));
      assert.equal(cluster.pods().length, 1);
      await giveUp(cluster.store, lost);
      await cluster.untilActive(`one.service@${other(lost)}`);
    }));

  test("Exclusive=true, said when its machine was lost already: what may run there holds the place", () =>
    withCluster("ab", async (cluster) => {
      await cluster.launch("one.service", service());
      await cluster.until("active", async () => (await cluster.active()).length === 1);
      const lost = (await cluster.whereIs("one.service")) ?? "";
      await cluster.lose(lost, false);
      await cluster.launch("one.service", CARE("Exclusive=true"));
      await cluster.until("asked to go", () => cluster.pods().every(({ metadata }) => metadata.deletionTimestamp));
      await giveUp(cluster.store, lost);
      await cluster.settle();
      assert.equal(cluster.pods().length, 1);
      await cluster.bringBack(lost);
      await cluster.until("its successor", () => cluster.pods().every(({ spec }) => spec.exclusive === true));
    }));

  test("Exclusive=true: a move stops it first", () =>
    withCluster("ab", async (cluster) => {
      await cluster.launch("one.service", CARE("Exclusive=yes"));
      await cluster.until("active", async () => (await cluster.active()).length === 1);
      const [pod] = cluster.pods();
      assert.ok(pod);
      await disrupt(cluster.store, pod, "Drain");
      await cluster.settle();
      assert.equal(cluster.pods().length, 1);
    }));

  const rules = [
    ["keep", { action: "keep" }],
    ["replace", { action: "replace", afterMs: 0 }],
    ["5m", { action: "replace", afterMs: 300_000 }],
  ] as const;
  for (const [text, rule] of rules) {
    test(`WhenUnreachable=${text} is the pod's own rule`, () =>
      withCluster("a", async (cluster) => {
        await cluster.launch("one.service", CARE(`WhenUnreachable=${text}`));
        await cluster.untilActive("one.service@a");
        assert.deepEqual(cluster.pods()[0]?.spec.whenUnreachable, rule);
      }));
  }

  test("nonsense is refused by name, an unknown key warned of", () =>
    withCluster("a", async (cluster) => {
      const refused = [
        ["Exclusive=perhaps", /Exclusive=perhaps: expected true or false/],
        ["WhenUnreachable=soon", /WhenUnreachable=soon: expected keep, replace, or a duration such as 5m/],
      ] as const;
      for (const [line, words] of refused) {
        const answer = await cluster.launch("one.service", CARE(line));
        assert.equal(answer.status, 400);
        assert.match(answer.text, words);
      }
      const both = await cluster.launch("g.service", `${service("Global=true")}\n[X-Styrmann]\nExclusive=true\n`);
      assert.match(both.text, /Exclusive cannot be used with Global/);
      const warned = await cluster.launch("one.service", CARE("Exclusiv=true"));
      assert.equal(warned.status, 201);
      assert.match(warned.headers.get("Warning") ?? "", /unknown key \\"Exclusiv\\" in \[X-Styrmann\].*Exclusive/);
    }));
});
