/** Where units go and when they move, with the real scheduler: what of specs 5 the control plane alone decides. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { events } from "../../../src/model/event.ts";
import { type Cluster, machineId, service, withCluster } from "./cluster.ts";

const patchMachine = (cluster: Cluster, letter: string, key: string, value: string) =>
  cluster.call("PATCH", "/fleet/v1/machines", [
    { op: "add", path: `/${machineId(letter)}/metadata/${key}`, value: { value } },
  ]);

const letters = (rows: readonly string[]) => rows.map((row) => row.at(-1)).toSorted();

describe("Conflicts", () => {
  test("five units that exclude each other: three run on three machines, two wait; one that goes lets one in", () =>
    withCluster("abc", async (cluster) => {
      for (const n of [0, 1, 2, 3, 4]) await cluster.launch(`conflict.${n}.service`, service("Conflicts=conflict.*"));
      await cluster.until("three active", async () => (await cluster.active()).length === 3);
      await cluster.untilDecided();
      const rows = await cluster.active();
      assert.deepEqual(letters(rows), ["a", "b", "c"]);
      const waiting = (await cluster.get("/units")).body.units.filter(
        ({ currentState }: { currentState: string }) => currentState === "inactive",
      );
      assert.equal(waiting.length, 2);
      const [first = ""] = rows;
      await cluster.call("DELETE", `/fleet/v1/units/${first.slice(0, -2)}`);
      await cluster.until("another in its place", async () => {
        const now = await cluster.active();
        return now.length === 3 && !now.includes(first);
      });
    }));

  test("one unit's word binds both", () =>
    withCluster("a", async (cluster) => {
      await cluster.launch("conflicts-with-hello.service", service("Conflicts=hello.service"));
      await cluster.untilActive("conflicts-with-hello.service@a");
      await cluster.launch("hello.service", service());
      await cluster.untilDecided();
      assert.deepEqual(await cluster.active(), ["conflicts-with-hello.service@a"]);
      await cluster.call("DELETE", "/fleet/v1/units/conflicts-with-hello.service");
      await cluster.untilActive("hello.service@a");
    }));

  test("several names in a line, and several lines, count alike", () =>
    withCluster("abc", async (cluster) => {
      await cluster.launch("m.0.service", service("Conflicts=m.1.service m.2.service"));
      await cluster.launch("m.1.service", service("Conflicts=m.0.service", "Conflicts=m.2.service"));
      await cluster.launch("m.2.service", service('Conflicts="m.0.service" "m.1.service"'));
      await cluster.until("three active", async () => (await cluster.active()).length === 3);
      assert.deepEqual(letters(await cluster.active()), ["a", "b", "c"]);
    }));

  test("a unit does not conflict with itself, nor by a pattern that is malformed", () =>
    withCluster("a", async (cluster) => {
      await cluster.launch("x.service", service("Conflicts=*.service"));
      await cluster.untilActive("x.service@a");
      await cluster.call("DELETE", "/fleet/v1/units/x.service");
      await cluster.launch("y.service", service("Conflicts=[]y]*", "Conflicts=z["));
      await cluster.launch("z.service", service());
      await cluster.untilActive("y.service@a", "z.service@a");
    }));
});

describe("MachineID", () => {
  test("pins, by the whole id or its first eight characters", () =>
    withCluster("abc", async (cluster) => {
      await cluster.launch("pin@1.service", service(`MachineID=${machineId("c")}`));
      await cluster.launch("pin@2.service", service(`MachineID=${machineId("b").slice(0, 8)}`));
      await cluster.launch("pin@3.service", service(`X-ConditionMachineBootID=${machineId("a")}`));
      await cluster.launch("pin@4.service", service(`MachineID=${machineId("b").slice(0, 9)}`));
      await cluster.untilActive("pin@1.service@c", "pin@2.service@b", "pin@3.service@a");
      await cluster.untilDecided();
      assert.equal(await cluster.whereIs("pin@4.service"), undefined);
    }));
});

describe("MachineOf", () => {
  const pairs = async (cluster: Cluster) => {
    for (const n of [0, 1, 2]) await cluster.launch(`pong.${n}.service`, service(`MachineOf=ping.${n}.service`));
    await cluster.untilDecided();
    assert.deepEqual(await cluster.active(), []);
    for (const n of [0, 1, 2]) await cluster.launch(`ping.${n}.service`, service("Conflicts=ping.*"));
    await cluster.until("six active", async () => (await cluster.active()).length === 6);
  };
  const areTogether = async (cluster: Cluster, n: number) =>
    assert.equal(await cluster.whereIs(`pong.${n}.service`), await cluster.whereIs(`ping.${n}.service`));

  test("waits for its peer, and is put beside it, whichever comes first", () =>
    withCluster("abc", async (cluster) => {
      await pairs(cluster);
      for (const n of [0, 1, 2]) await areTogether(cluster, n);
    }));

  test("follows its peer to another machine", () =>
    withCluster("abc", async (cluster) => {
      const peer = service("MachineMetadata=role=web");
      await patchMachine(cluster, "a", "role", "web");
      await cluster.launch("peer.service", peer);
      await cluster.launch("follower.service", service("MachineOf=peer.service"));
      await cluster.launch("chain.service", service("MachineOf=follower.service"));
      await cluster.untilActive("chain.service@a", "follower.service@a", "peer.service@a");
      await patchMachine(cluster, "a", "role", "db");
      await patchMachine(cluster, "c", "role", "web");
      await cluster.untilActive("chain.service@c", "follower.service@c", "peer.service@c");
    }));

  test("is not started beside a peer that is still stopping there", () =>
    withCluster(
      "ab",
      async (cluster) => {
        await patchMachine(cluster, "a", "role", "web");
        await cluster.launch("peer.service", service("MachineMetadata=role=web"));
        await cluster.launch("follower.service", service("MachineOf=peer.service"));
        await cluster.untilActive("follower.service@a", "peer.service@a");
        await patchMachine(cluster, "b", "role", "web");
        await patchMachine(cluster, "a", "role", "db");
        await cluster.untilActive("follower.service@b", "peer.service@b");
        const its = cluster.machines.log.filter((line) => line.includes("follower"));
        assert.deepEqual(its, ["start follower.service a", "stop follower.service a", "start follower.service b"]);
        const moves = cluster.store
          .list(events)
          .filter(({ involvedObject }) => involvedObject.name.startsWith("follower"));
        const replaced = moves.filter(({ reason }) => reason === "Replacing");
        assert.ok(replaced.reduce((sum, { count }) => sum + count, 0) <= 1, JSON.stringify(replaced));
      },
      { stopMs: (unit) => (unit === "peer.service" ? 500 : 0) },
    ));

  test("stops when its peer is nowhere, and comes back with it", () =>
    withCluster("ab", async (cluster) => {
      await cluster.launch("peer.service", service());
      await cluster.launch("follower.service", service("MachineOf=peer.service"));
      await cluster.until("both active", async () => (await cluster.active()).length === 2);
      await cluster.put("peer.service", { desiredState: "inactive" });
      await cluster.untilActive();
      await cluster.put("peer.service", { desiredState: "launched" });
      await cluster.until("both active again", async () => (await cluster.active()).length === 2);
      assert.equal(await cluster.whereIs("peer.service"), await cluster.whereIs("follower.service"));
    }));

  test("stays while its peer restarts, crashes and is started again", () =>
    withCluster("abc", async (cluster) => {
      await cluster.launch("peer.service", service());
      await cluster.launch("follower.service", service("MachineOf=peer.service"));
      await cluster.until("both active", async () => (await cluster.active()).length === 2);
      await cluster.machines.crash("peer.service");
      await cluster.put("peer.service", { desiredState: "loaded" });
      await cluster.put("peer.service", { desiredState: "launched" });
      await cluster.until("both active again", async () => (await cluster.active()).length === 2);
      assert.equal(cluster.machines.log.filter((line) => line.startsWith("stop follower")).length, 0);
    }));

  test("a peer that has ended keeps its place", () =>
    withCluster("abc", async (cluster) => {
      await cluster.launch("setup.service", service());
      await cluster.until("active", async () => (await cluster.active()).length === 1);
      const place = await cluster.whereIs("setup.service");
      await cluster.machines.crash("setup.service");
      await cluster.launch("app.service", service("MachineOf=setup.service"));
      await cluster.untilActive(`app.service@${place}`);
    }));
});

describe("MachineMetadata", () => {
  test("any value of a key, and every key; specifiers are the unit's own; what is no pair is ignored", () =>
    withCluster("", async (cluster) => {
      await cluster.addMachine("a", { hostname: "smoke1", az: "z1" });
      await cluster.addMachine("b", { hostname: "smoke2", az: "z2" });
      await cluster.launch("metadata@smoke2.service", service("MachineMetadata=hostname=%i"));
      await cluster.launch("metadata@invalid.service", service("MachineMetadata=hostname=%i"));
      await cluster.launch("or.service", service('MachineMetadata="az=z9" "az=z1"', "MachineMetadata=hostname=smoke1"));
      await cluster.launch("and.service", service("MachineMetadata=az=z1", "MachineMetadata=hostname=smoke2"));
      await cluster.launch("odd.service", service("MachineMetadata=az=z1 b=2", `MachineID=${machineId("b")}`));
      await cluster.untilActive("metadata@smoke2.service@b", "odd.service@b", "or.service@a");
      await cluster.untilDecided();
      const { currentState, desiredState } = await cluster.unit("metadata@invalid.service");
      assert.deepEqual([currentState, desiredState], ["inactive", "launched"]);
    }));

  test("a unit leaves a machine whose metadata changes, and waits until there is one again", () =>
    withCluster("ab", async (cluster) => {
      await patchMachine(cluster, "a", "disk", "ssd");
      await cluster.launch("x.service", service("MachineMetadata=disk=ssd"));
      await cluster.untilActive("x.service@a");
      await patchMachine(cluster, "a", "disk", "hdd");
      await cluster.untilActive();
      await patchMachine(cluster, "b", "disk", "ssd");
      await cluster.untilActive("x.service@b");
    }));

  test("what PATCH said outlives the machine's own word, also when it registers again", () =>
    withCluster("", async (cluster) => {
      await cluster.addMachine("a", { disk: "hdd" });
      await cluster.addMachine("b");
      await patchMachine(cluster, "a", "disk", "ssd");
      await cluster.launch("x.service", service("MachineMetadata=disk=ssd"));
      await cluster.untilActive("x.service@a");
      cluster.machines.log.length = 0;
      await cluster.labelNode("a", { disk: "hdd" });
      await cluster.until("the label as PATCH said", () => cluster.labelsOf("a")?.disk === "ssd");
      await cluster.settle();
      assert.deepEqual([await cluster.active(), cluster.machines.log], [["x.service@a"], []]);
    }));
});

describe("Global", () => {
  test("runs on every machine with the metadata, once in /units and a row each in /state; a new machine gets it", () =>
    withCluster("ab", async (cluster) => {
      await cluster.launch("one.service", service());
      await cluster.launch("two.service", service());
      await cluster.launch("g.service", service("Global=true"));
      await cluster.until("four active", async () => (await cluster.active()).length === 4);
      await cluster.addMachine("c");
      await cluster.until("five active", async () => (await cluster.active()).length === 5);
      const rows = (await cluster.get("/state?unitName=g.service")).body.states;
      assert.deepEqual(
        rows.map(({ machineID }: { machineID: string }) => machineID[0]),
        ["a", "b", "c"],
      );
      const { units } = (await cluster.get("/units")).body;
      const listed = units.find(({ name }: { name: string }) => name === "g.service");
      assert.deepEqual([listed.currentState, listed.machineID], ["inactive", undefined]);
      const single = await cluster.unit("g.service");
      assert.deepEqual([single.currentState, single.desiredState], [undefined, "launched"]);
      assert.equal((await cluster.get("/state/g.service")).status, 200);
    }));

  test("metadata decides where, and goes on deciding", () =>
    withCluster("abc", async (cluster) => {
      await patchMachine(cluster, "a", "role", "web");
      await cluster.launch("g.service", service("Global=yes", "MachineMetadata=role=web"));
      await cluster.untilActive("g.service@a");
      await patchMachine(cluster, "b", "role", "web");
      await cluster.untilActive("g.service@a", "g.service@b");
      await patchMachine(cluster, "a", "role", "db");
      await cluster.untilActive("g.service@b");
    }));

  test("a second one that conflicts is active nowhere, and where another unit is that conflicts it is not either", () =>
    withCluster("abc", async (cluster) => {
      await cluster.launch("g0.service", service("Global=true", "Conflicts=g*"));
      await cluster.untilActive("g0.service@a", "g0.service@b", "g0.service@c");
      await cluster.launch("g1.service", service("Global=true", "Conflicts=g*"));
      await cluster.untilDecided();
      assert.equal((await cluster.active()).length, 3);
      await cluster.call("DELETE", "/fleet/v1/units/g0.service");
      await cluster.untilActive("g1.service@a", "g1.service@b", "g1.service@c");
    }));

  test("stop, start and unload reach every machine", () =>
    withCluster("ab", async (cluster) => {
      await cluster.launch("g.service", service("Global=true"));
      await cluster.untilActive("g.service@a", "g.service@b");
      await cluster.put("g.service", { desiredState: "loaded" });
      await cluster.untilActive();
      assert.equal((await cluster.states()).length, 2);
      await cluster.put("g.service", { desiredState: "launched" });
      await cluster.untilActive("g.service@a", "g.service@b");
      await cluster.put("g.service", { desiredState: "inactive" });
      await cluster.until("no rows", async () => (await cluster.states()).length === 0);
    }));
});

describe("Replaces", () => {
  const pinned = (letter: string) => `MachineMetadata=at=${letter}`;

  for (const [order, replacer, replaced] of [
    ["named before", "a-new.service", "b-old.service"],
    ["named after", "z-new.service", "b-old.service"],
  ] as const)
    test(`the unit that says so stays, the other one moves: ${order}`, () =>
      withCluster("ab", async (cluster) => {
        await patchMachine(cluster, "a", "at", "a");
        await cluster.launch(replaced, service());
        await cluster.until("the old one runs", async () => (await cluster.whereIs(replaced)) !== undefined);
        const place = (await cluster.whereIs(replaced)) ?? "";
        await patchMachine(cluster, place, "at", "old");
        await cluster.launch(replacer, service(`Replaces=${replaced}`, pinned("old")));
        const other = place === "a" ? "b" : "a";
        await cluster.untilActive(`${replacer}@${place}`, `${replaced}@${other}`);
      }));

  test("with another machine free nothing is replaced", () =>
    withCluster("ab", async (cluster) => {
      await cluster.launch("old.service", service());
      await cluster.until("the old one runs", async () => (await cluster.active()).length === 1);
      const place = await cluster.whereIs("old.service");
      await cluster.launch("new.service", service("Replaces=old.service"));
      await cluster.until("both run", async () => (await cluster.active()).length === 2);
      assert.equal(await cluster.whereIs("old.service"), place);
      assert.notEqual(await cluster.whereIs("new.service"), place);
    }));

  test("on one machine the one replaced waits, and comes back when the other goes", () =>
    withCluster("a", async (cluster) => {
      await cluster.launch("old.service", service());
      await cluster.untilActive("old.service@a");
      await cluster.launch("new.service", service("Replaces=old.service"));
      await cluster.untilActive("new.service@a");
      await cluster.call("DELETE", "/fleet/v1/units/new.service");
      await cluster.untilActive("old.service@a");
    }));

  test("two that replace each other both run", () =>
    withCluster("a", async (cluster) => {
      await cluster.launch("r.0.service", service("Replaces=r.1.service"));
      await cluster.launch("r.1.service", service("Replaces=r.0.service"));
      await cluster.untilActive("r.0.service@a", "r.1.service@a");
    }));
});

describe("a unit that has its machine", () => {
  test("is not moved when a machine comes back or joins", () =>
    withCluster("a", async (cluster) => {
      for (const n of [1, 2, 3, 4]) await cluster.launch(`u${n}.service`, service());
      await cluster.until("four active", async () => (await cluster.active()).length === 4);
      await cluster.addMachine("b");
      await cluster.launch("u5.service", service());
      await cluster.until("five active", async () => (await cluster.active()).length === 5);
      assert.deepEqual(letters(await cluster.active()), ["a", "a", "a", "a", "b"]);
    }));
});
