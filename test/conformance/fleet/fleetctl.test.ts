/** What fleetctl does, call by call: every command has to come to its end, with the effect that it is there for. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Cluster, optionsOf, service, withCluster } from "./cluster.ts";
import { Fleetctl } from "./fleetctl.ts";

const HELLO = "[Unit]\nDescription=Hello %i\n\n[Service]\nExecStart=/bin/sh -c 'echo hello'\n";
const hello = (count: number) => Array.from({ length: count }, (_, at) => `hello@${at + 1}.service`);

async function files(cluster: Cluster): Promise<readonly string[]> {
  const { units = [] } = (await cluster.get("/units")).body;
  return units.map(({ name }: { name: string }) => name);
}

describe("fleetctl, three machines", () => {
  test("submit, load and start of instances whose template is a local file, and all the way back, twice", () =>
    withCluster("abc", async (cluster) => {
      const fleetctl = new Fleetctl(cluster, { "hello@.service": HELLO });
      for (const _round of [1, 2]) {
        await fleetctl.submit(hello(9));
        assert.deepEqual(await files(cluster), hello(9));
        assert.deepEqual(await cluster.states(), []);
        await fleetctl.load(hello(6));
        assert.equal((await cluster.states()).length, 6);
        assert.deepEqual(await cluster.active(), []);
        await fleetctl.start(hello(3));
        assert.equal((await cluster.active()).length, 3);
        await fleetctl.stop(hello(3));
        assert.deepEqual(await cluster.active(), []);
        assert.equal((await cluster.states()).length, 6);
        await fleetctl.unload(hello(6));
        assert.deepEqual(await cluster.states(), []);
        await fleetctl.destroy(hello(9));
        assert.deepEqual(await files(cluster), []);
      }
    }));

  test("an instance is a copy: it is made from the server's template, and stays when that goes", () =>
    withCluster("a", async (cluster) => {
      await new Fleetctl(cluster, { "hello@.service": HELLO }).submit(["hello@.service"]);
      const elsewhere = new Fleetctl(cluster, {});
      await elsewhere.start(["hello@x.service"]);
      await elsewhere.destroy(["hello@.service"]);
      assert.deepEqual((await cluster.unit("hello@x.service")).options, optionsOf(HELLO));
      assert.deepEqual(await cluster.active(), ["hello@x.service@a"]);
      await assert.rejects(elsewhere.start(["hello@y.service"]), /unable to find Unit/);
    }));

  test("started units are on machines, and say on which and with which hash", () =>
    withCluster("a", async (cluster) => {
      await new Fleetctl(cluster, { "one.service": service() }).start(["one.service"]);
      const { text } = await cluster.get("/state/one.service");
      const row = {
        hash: "1c6fb6f3684bafb0c173d8b8b957ceff031180c1",
        machineID: "a".repeat(32),
        name: "one.service",
        systemdActiveState: "active",
        systemdLoadState: "loaded",
        systemdSubState: "running",
      };
      assert.equal(text, JSON.stringify(row));
      const { currentState, desiredState, machineID } = await cluster.unit("one.service");
      assert.deepEqual([currentState, desiredState, machineID], ["launched", "launched", "a".repeat(32)]);
      assert.equal((await cluster.get("/state?unitName=one.service")).body.states.length, 1);
      assert.equal((await cluster.get(`/state?machineID=${"a".repeat(32)}`)).body.states.length, 1);
      assert.equal((await cluster.get("/state?unitName=one")).text, "{}");
      assert.equal((await cluster.get("/state?machineID=aaaaaaaa")).text, "{}");
    }));
});

describe("fleetctl restart", () => {
  for (const [how, habits] of [
    ["at once", {}],
    ["slowly", { stopMs: 900 }],
    ["by a machine that looks only now and then, and misses what was wanted in between", { everyMs: 700 }],
  ] as const)
    test(`stops and starts on the same machine, and ends, when a stop is done ${how}`, () =>
      withCluster(
        "abc",
        async (cluster) => {
          const fleetctl = new Fleetctl(cluster, { "hello@.service": HELLO });
          await fleetctl.start(hello(3));
          const before = await cluster.active();
          cluster.machines.log.length = 0;
          await fleetctl.restart(hello(3));
          await cluster.until("three restarts", () => cluster.machines.log.length === 6);
          await cluster.untilActive(...before);
          for (const row of before) {
            const [name, letter] = [row.slice(0, -2), row.at(-1)];
            const its = cluster.machines.log.filter((line) => line.includes(` ${name} `));
            assert.deepEqual(its, [`stop ${name} ${letter}`, `start ${name} ${letter}`]);
          }
          await fleetctl.stop(hello(3));
          assert.deepEqual(await cluster.active(), []);
        },
        habits,
      ));

  test("a unit that has crashed is started again where it was", () =>
    withCluster("abc", async (cluster) => {
      const fleetctl = new Fleetctl(cluster, { "one.service": service() });
      await fleetctl.start(["one.service"]);
      const place = await cluster.whereIs("one.service");
      await cluster.machines.crash("one.service");
      const crashed = await cluster.unit("one.service");
      assert.equal(crashed.currentState, "launched");
      assert.equal((await cluster.states())[0]?.systemdActiveState, "failed");
      await fleetctl.restart(["one.service"]);
      await cluster.untilActive(`one.service@${place}`);
    }));

  test("a unit that has crashed stays failed until somebody asks", () =>
    withCluster("a", async (cluster) => {
      const fleetctl = new Fleetctl(cluster, { "one.service": service() });
      await fleetctl.start(["one.service"]);
      await cluster.machines.crash("one.service");
      await fleetctl.start(["one.service"]).catch(() => undefined);
      assert.equal((await cluster.states())[0]?.systemdActiveState, "failed");
      await fleetctl.stop(["one.service"]);
      await fleetctl.start(["one.service"]);
      await cluster.untilActive("one.service@a");
    }));

  test("two PUTs in a row stop and start, however fast they come", () =>
    withCluster("a", async (cluster) => {
      await new Fleetctl(cluster, { "one.service": service() }).start(["one.service"]);
      cluster.machines.log.length = 0;
      await Promise.all([
        cluster.put("one.service", { desiredState: "loaded" }),
        cluster.put("one.service", { desiredState: "launched" }),
      ]);
      await cluster.until("a stop and a start", () => cluster.machines.log.length === 2);
      assert.deepEqual(cluster.machines.log, ["stop one.service a", "start one.service a"]);
    }));
});

describe("states that others than fleet bring about", () => {
  test("a loaded unit that another unit of its machine starts is loaded and active, also after it was stopped once", () =>
    withCluster("a", async (cluster) => {
      const fleetctl = new Fleetctl(cluster, { "one.service": service() });
      await fleetctl.start(["one.service"]);
      await fleetctl.stop(["one.service"]);
      await cluster.machines.startBySomethingElse("one.service");
      assert.deepEqual(await cluster.active(), ["one.service@a"]);
      const { currentState, desiredState } = await cluster.unit("one.service");
      assert.deepEqual([currentState, desiredState], ["loaded", "loaded"]);
    }));
});

describe("fleetctl --replace", () => {
  const files = { "hello@.service": HELLO };
  const edited = Object.fromEntries(hello(3).map((name) => [name, HELLO.replace("echo hello", "echo goodbye")]));

  test("submit replaces what is inactive, load what is loaded, start what runs", () =>
    withCluster("abc", async (cluster) => {
      const [before, after] = [new Fleetctl(cluster, files), new Fleetctl(cluster, edited)];
      for (const step of ["submit", "load", "start"] as const) {
        await before[step](hello(3));
        await after[step](hello(3), { replace: true });
        for (const name of hello(3)) {
          const { options, desiredState } = await cluster.unit(name);
          assert.deepEqual(options, optionsOf(edited[name] ?? ""), `${step} ${name}`);
          assert.equal(desiredState, { submit: "inactive", load: "loaded", start: "launched" }[step]);
        }
        assert.equal((await cluster.active()).length, step === "start" ? 3 : 0);
        await before.destroy(hello(3));
        await cluster.until("no pods of the old units", () => cluster.pods().length === 0);
      }
      assert.deepEqual(before.said, []);
    }));

  test("a unit that runs and is put with other options, still launched, runs with those", () =>
    withCluster("a", async (cluster) => {
      const runs = () => cluster.pods().map((pod) => [pod.metadata.uid, pod.spec.containers[0]?.unit?.options]);
      await cluster.launch("one.service", service());
      await cluster.untilActive("one.service@a");
      const [[before] = []] = runs();
      const other = service().replace("/bin/sleep 100", "/bin/sleep 200");
      await cluster.launch("one.service", other);
      await cluster.until("a pod with the new options, active", async () => {
        const [[uid, options] = []] = runs();
        const isNew = uid !== before && JSON.stringify(options) === JSON.stringify(optionsOf(other));
        return isNew && (await cluster.whereIs("one.service")) === "a";
      });
      const [row] = await cluster.states();
      assert.notEqual(row?.hash, "1c6fb6f3684bafb0c173d8b8b957ceff031180c1", "the hash is still the old unit's");
    }));

  test("without --replace, or in a state that does not allow it, nothing is changed", () =>
    withCluster("a", async (cluster) => {
      const [before, after] = [new Fleetctl(cluster, files), new Fleetctl(cluster, edited)];
      await before.start(hello(1));
      await after.start(hello(1));
      await after.submit(hello(1), { replace: true });
      assert.deepEqual((await cluster.unit("hello@1.service")).options, optionsOf(HELLO));
      assert.match(after.said.join("\n"), /differs from local unit file\nWarning: can not replace/);
      await cluster.untilActive("hello@1.service@a");
    }));

  test("a unit that is destroyed and submitted again at once is started only when the old one has stopped", () =>
    withCluster(
      "a",
      async (cluster) => {
        const fleetctl = new Fleetctl(cluster, { "one.service": service() });
        await fleetctl.start(["one.service"]);
        await fleetctl.destroy(["one.service"]);
        assert.deepEqual(await cluster.states(), []);
        await fleetctl.start(["one.service"]);
        const wanted = ["start one.service a", "stop one.service a", "start one.service a"];
        assert.deepEqual(cluster.machines.log, wanted);
      },
      { stopMs: 500 },
    ));
});
