import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { Pod } from "../../model/pod.ts";
import type { Instance, InstanceCondition } from "./instance.ts";
import { killOrder } from "./kill-order.ts";
import { definitionOf, VERSION } from "./test-app.ts";
import { isConverged, planInstances } from "./upgrade.ts";

const OLD = "2019-01-01T00:00:00.000Z";
const POD = {} as Pod;

function instance(
  taskId: string,
  configVersion: string,
  condition: InstanceCondition,
  isHealthy = condition === "Running",
): Instance {
  return {
    taskId,
    condition,
    stagedAtMs: 0,
    isHealthy,
    isUnhealthy: false,
    isReady: isHealthy,
    isLeaving: false,
    hasReturned: false,
    holdsItsPlace: condition !== "Ended" && condition !== "UnreachableInactive",
    isExclusive: false,
    version: configVersion,
    configVersion,
    pod: POD,
  };
}

type AppShape = readonly [instances: number, minimumHealthCapacity: number, maximumOverCapacity: number];

function appOf([instances, minimumHealthCapacity, maximumOverCapacity]: AppShape, more: object = {}) {
  return definitionOf({
    cmd: "ls",
    instances,
    upgradeStrategy: { minimumHealthCapacity, maximumOverCapacity },
    ...more,
  });
}

const olds = (count: number) => Array.from({ length: count }, (_, i) => instance(`old-${i}`, OLD, "Running"));
const news = (count: number, condition: InstanceCondition = "Running") =>
  Array.from({ length: count }, (_, i) => instance(`new-${i}`, VERSION, condition));

describe("planning instances", () => {
  const cases: readonly (readonly [string, AppShape, readonly Instance[], number, number])[] = [
    ["a new app launches all", [3, 1, 1], [], 0, 3],
    ["surplus is killed", [1, 1, 1], news(3), 2, 0],
    ["capacity for twice as many launches all, and kills none before they are healthy", [4, 1, 1], olds(4), 0, 4],
    ["half may go at once", [4, 0.5, 0], olds(4), 2, 0],
    ["with 1 and 0 one above is allowed, because nothing could move otherwise", [2, 1, 0], olds(2), 0, 1],
    ["each new one that is healthy lets an old one go", [2, 1, 1], [...olds(2), ...news(1)], 1, 1],
    ["one that starts does not", [2, 1, 1], [...olds(2), ...news(2, "Staging")], 0, 0],
    ["old ones above what is wanted at all go at once", [2, 1, 0], olds(5), 3, 0],
    ["a single instance stops first", [1, 0, 0], olds(1), 1, 0],
    ["and starts when it has stopped", [1, 0, 0], [instance("old", OLD, "Killing")], 0, 0],
    ["to nothing: everything goes", [0, 1, 1], olds(2), 2, 0],
  ];
  for (const [why, app, instances, kills, launches] of cases) {
    test(why, () => {
      const single = app[1] === 0 && app[2] === 0 ? { labels: { MARATHON_SINGLE_INSTANCE_APP: "true" } } : {};
      const plan = planInstances({ app: appOf(app, single), instances, mixed: false });
      assert.deepEqual([plan.kill.length, plan.launch], [kills, launches]);
    });
  }

  test("an unhealthy old one goes first", () => {
    const sick = instance("sick", OLD, "Running", false);
    const plan = planInstances({ app: appOf([3, 0.3, 0]), instances: [...olds(2), sick], mixed: false });
    assert.equal(plan.kill[0]?.instance.taskId, "sick");
  });

  test("when nothing healthy may go and nothing more may start, an unhealthy one makes room", () => {
    const sick = instance("sick", OLD, "Running", false);
    const plan = planInstances({ app: appOf([2, 1, 0]), instances: [...olds(1), sick], mixed: false });
    assert.deepEqual(
      plan.kill.map((one) => one.instance.taskId),
      ["sick"],
    );
  });

  test("old ones stay when a deployment was cancelled with force", () => {
    const plan = planInstances({ app: appOf([2, 1, 1]), instances: olds(2), mixed: true });
    assert.deepEqual(plan, { kill: [], launch: 0 });
  });

  test("carried out in any order, an upgrade never goes below its floor nor above its ceiling, and ends", () => {
    const capacity = fc.constantFrom(0, 0.25, 0.5, 0.75, 1);
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 9 }),
        capacity,
        capacity,
        fc.infiniteStream(fc.nat()),
        (wanted, min, max, dice) => {
          const app = appOf([wanted, min, max]);
          const floor = Math.min(Math.ceil(wanted * min), wanted);
          const ceiling = Math.max(Math.trunc(wanted * (1 + max)), wanted) + 1;
          let instances: Instance[] = olds(wanted);
          let made = 0;
          for (let turn = 0; turn < 500; turn++) {
            const plan = planInstances({ app, instances, mixed: false });
            const killed = new Set(plan.kill.map((one) => one.instance.taskId));
            instances = instances.map((one) =>
              killed.has(one.taskId) ? { ...one, condition: "Killing", isHealthy: false, isReady: false } : one,
            );
            for (let i = 0; i < plan.launch; i++) instances.push(instance(`n${made++}`, VERSION, "Staging"));
            assert.ok(instances.filter(({ isHealthy }) => isHealthy).length >= floor, "below the floor");
            assert.ok(instances.length <= ceiling, "above the ceiling");
            if (isConverged({ app, instances, mixed: false })) return;
            // Something happens to one instance: it stops, or becomes healthy.
            const moving = instances.filter(({ condition }) => condition === "Killing" || condition === "Staging");
            assert.ok(moving.length > 0, "nothing moves and it is not done");
            const lucky = moving[(dice.next().value ?? 0) % moving.length];
            instances = instances.flatMap((one) => {
              if (one !== lucky) return [one];
              return one.condition === "Killing"
                ? []
                : [{ ...one, condition: "Running" as const, isHealthy: true, isReady: true }];
            });
          }
          assert.fail("did not end");
        },
      ),
    );
  });
});

describe("planning while nodes are lost", () => {
  test("whatever is lost, moved or sick, an update takes nothing available that its floor needs", () => {
    const any = fc.record({
      isOld: fc.boolean(),
      isHealthy: fc.boolean(),
      isLeaving: fc.boolean(),
      condition: fc.constantFrom<InstanceCondition>(
        "Running",
        "Staging",
        "Killing",
        "Unreachable",
        "UnreachableInactive",
      ),
    });
    const capacity = fc.constantFrom(0, 0.25, 0.5, 0.75, 1);
    const shape = fc.tuple(fc.integer({ min: 1, max: 6 }), capacity, capacity);
    fc.assert(
      fc.property(shape, fc.array(any, { maxLength: 12 }), (wanted, drawn) => {
        const app = appOf(wanted);
        const instances = drawn.map(({ isOld, condition, isHealthy, isLeaving }, i) => ({
          ...instance(`i${i}`, isOld ? OLD : VERSION, condition, isHealthy && condition === "Running"),
          isLeaving: isLeaving && condition === "Running",
        }));
        const isUpdate = instances.some(({ configVersion }) => configVersion === OLD);
        if (!isUpdate) return;
        const available = (all: readonly Instance[]) => all.filter((one) => one.isHealthy && !one.isLeaving).length;
        const plan = planInstances({ app, instances, mixed: false });
        const killed = new Set(plan.kill.map((one) => one.instance));
        const left = available(instances.filter((one) => !killed.has(one)));
        const floor = Math.ceil(wanted[0] * wanted[1]);
        assert.ok(left >= Math.min(floor, available(instances)), `${left} left of ${available(instances)}`);
        assert.ok(![...killed].some((one) => one.isLeaving), "who moves it takes it away");
      }),
    );
  });

  test("what was lost is replaced at once, whatever the ceiling", () => {
    const lost = instance("lost", OLD, "UnreachableInactive");
    const plan = planInstances({ app: appOf([2, 1, 0]), instances: [...olds(1), lost], mixed: false });
    assert.deepEqual([plan.kill.map((one) => one.instance.taskId), plan.launch], [["lost"], 1]);
  });

  test("what is moved away gets its successor first, but for a single instance, which stops before", () => {
    const leaving = { ...instance("leaving", VERSION, "Running"), isLeaving: true };
    const single = { labels: { MARATHON_SINGLE_INSTANCE_APP: "true" } };
    const launches = (app: AppShape, more: object = {}) =>
      planInstances({ app: appOf(app, more), instances: [leaving], mixed: false }).launch;
    assert.equal(launches([1, 1, 0]), 1);
    assert.equal(launches([1, 0, 0], single), 0);
    assert.equal(launches([1, 0, 0], { labels: { "styrmann.dev/exclusive": "true" } }), 0);
  });

  test("an app that is no longer exclusive starts nothing beside the copy that is, and stops that first", () => {
    const launches = (condition: InstanceCondition, shape: AppShape, more: Partial<Instance> = {}, mixed = false) => {
      const alone = { ...instance("alone", OLD, condition), isExclusive: true, ...more };
      const { kill, launch } = planInstances({ app: appOf(shape), instances: [alone], mixed });
      return [kill.length, launch];
    };
    for (const mixed of [false, true]) {
      assert.deepEqual(launches("Running", [3, 1, 1], {}, mixed), [1, 0]);
      assert.deepEqual(launches("Killing", [3, 1, 1], {}, mixed), [0, 0]);
      assert.deepEqual(launches("Gone", [3, 1, 1], {}, mixed), [0, 0], "killed where nobody can be told");
      assert.deepEqual(
        launches("Gone", [3, 1, 1], { holdsItsPlace: false }, mixed),
        [0, 3],
        "given away with its node",
      );
    }
  });

  test("a deployment does not wait for what is lost or leaves", () => {
    const lost = instance("lost", OLD, "UnreachableInactive");
    const leaving = { ...instance("leaving", OLD, "Running"), isLeaving: true };
    const instances = [...news(2), lost, leaving];
    assert.ok(isConverged({ app: appOf([2, 1, 1]), instances, mixed: false }));
  });
});

describe("kill order", () => {
  const at = (taskId: string, condition: InstanceCondition, stagedAtMs: number): Instance => ({
    ...instance(taskId, VERSION, condition),
    stagedAtMs,
  });
  const all = [
    at("run-1", "Running", 1),
    at("run-2", "Running", 2),
    at("staging", "Staging", 0),
    at("lost", "Unreachable", 0),
  ];

  test("what costs its user least goes first, then the youngest", () => {
    assert.deepEqual(
      killOrder(all, "YOUNGEST_FIRST", 3).map(({ taskId }) => taskId),
      ["lost", "staging", "run-2"],
    );
  });

  test("or the oldest", () => {
    assert.deepEqual(
      killOrder(all, "OLDEST_FIRST", 3).map(({ taskId }) => taskId),
      ["lost", "staging", "run-1"],
    );
  });

  test("what came back with its node goes before what took its place, unless that is not healthy yet", () => {
    const back = { ...at("back", "Running", 0), hasReturned: true };
    const orderOf = (...more: Instance[]) =>
      killOrder([back, ...more], "YOUNGEST_FIRST", 1).map(({ taskId }) => taskId);
    assert.deepEqual(orderOf(at("run-9", "Running", 9)), ["back"]);
    assert.deepEqual(orderOf({ ...at("run-9", "Running", 9), isHealthy: false }), ["run-9"]);
    assert.deepEqual(orderOf(at("staging", "Staging", 9)), ["staging"]);
  });

  test("with groups the largest gives first", () => {
    const groupOf = ({ taskId }: Instance) => (taskId === "run-1" ? "a" : "b");
    const three = [at("run-1", "Running", 9), at("run-2", "Running", 2), at("run-3", "Running", 1)];
    assert.deepEqual(
      killOrder(three, "YOUNGEST_FIRST", 1, groupOf).map(({ taskId }) => taskId),
      ["run-2"],
    );
  });

  test("one that does not run goes before one that does, whatever the groups", () => {
    const groupOf = ({ taskId }: Instance) => (taskId === "staging" ? "a" : "b");
    const three = [at("run-1", "Running", 9), at("run-2", "Running", 2), at("staging", "Staging", 1)];
    assert.deepEqual(
      killOrder(three, "YOUNGEST_FIRST", 2, groupOf).map(({ taskId }) => taskId),
      ["staging", "run-1"],
    );
  });
});
