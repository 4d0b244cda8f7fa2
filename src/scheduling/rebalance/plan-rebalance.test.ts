import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { CopiesRule } from "../../model/copies.ts";
import { CopiesBook } from "../../model/copies-book.ts";
import type { Pod, PodSpec } from "../../model/pod.ts";
import { NODE_LABEL } from "../../model/well-known.ts";
import { type TestNode, testNode, testPod } from "../test-objects.ts";
import { planRebalance } from "./plan-rebalance.ts";

interface Layout {
  /** Workload → copies per node. */
  readonly [workload: string]: readonly number[];
}

const three: readonly TestNode[] = [{ name: "n1" }, { name: "n2" }, { name: "n3" }];
const NOBODY = { get: () => undefined, list: () => [] };

function podsOf(nodes: readonly TestNode[], layout: Layout, spec: Partial<PodSpec> = {}, cpu = "100m"): readonly Pod[] {
  return Object.entries(layout).flatMap(([name, counts]) =>
    counts.flatMap((count, at) =>
      Array.from({ length: count }, (_, n) => {
        const pod = testPod({ name: `${name}-${at}-${n}`, app: name, owner: name, cpu });
        const conditions = [{ type: "Ready", status: "True" } as const];
        return {
          ...pod,
          spec: { ...pod.spec, ...spec, nodeName: nodes[at]?.name ?? "" },
          status: { phase: "Running" as const, conditions },
        };
      }),
    ),
  );
}

function stepsOf(
  nodes: readonly TestNode[],
  pods: readonly Pod[],
  more: { budget?: number; moves?: "stays" | "stop first" } = {},
) {
  const wanted = (uid: string) => pods.filter(({ metadata }) => metadata.ownerReferences?.[0]?.uid === uid).length;
  const rule: CopiesRule = {
    owner: "ReplicationController",
    copiesOf: (_reader, { uid }) => ({ wanted: wanted(uid), moves: more.moves ?? "start first" }),
  };
  const book = new CopiesBook([rule]);
  const input = {
    nodes: nodes.map(testNode),
    pods,
    book,
    reader: NOBODY,
    strategy: "spread",
    budget: more.budget ?? 100,
  } as const;
  return planRebalance(input);
}

function plan(...given: Parameters<typeof stepsOf>) {
  const steps = stepsOf(...given);
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}

const line = ({ before, after, moves }: { before: readonly number[]; after: readonly number[]; moves: number }) =>
  `${before.join("/")} → ${after.join("/")}, ${moves} moves`;

describe("rebalance plan:", () => {
  test("evens a workload out over nodes", () => {
    const { workloads, moves } = plan(three, podsOf(three, { web: [9, 0, 0] }));
    assert.deepEqual(workloads.map(line), ["9/0/0 → 3/3/3, 6 moves"]);
    assert.equal(workloads[0]?.over, "hosts");
    assert.deepEqual(new Set(moves.map(({ from }) => from)), new Set(["n1"]));
  });

  test("evens it out over zones where hosts are even already", () => {
    const zoned = [..."aabb"].map((zone, at) => ({ name: `n${at}`, labels: { [NODE_LABEL.zone]: zone } }));
    const { workloads } = plan(zoned, podsOf(zoned, { web: [1, 1, 0, 0] }));
    assert.deepEqual(workloads.map(line), ["2/0 → 1/1, 1 moves"]);
    assert.equal(workloads[0]?.over, "zones");
  });

  test("takes load from a crowded node, also with workloads of one copy", () => {
    const layout = Object.fromEntries([..."abcdefgh"].map((name) => [name, [1, 0, 0]]));
    const { workloads, moves } = plan(three, podsOf(three, layout, {}, "450m"));
    assert.ok(moves.length >= 3 && moves.length <= 6, `${moves.length} moves`);
    assert.deepEqual(new Set(workloads.map(({ over }) => over)), new Set(["load"]));
    assert.deepEqual(new Set(moves.map(({ to }) => to)), new Set(["n2", "n3"]));
  });

  test("what is even has nothing to gain, nor has a difference of one copy", () => {
    for (const counts of [
      [3, 3, 3],
      [2, 1, 1],
      [1, 0, 0],
    ])
      assert.deepEqual(plan(three, podsOf(three, { web: counts })).moves, [], counts.join("/"));
  });

  test("never volumes, never exclusive, never what belongs to its node or may not run twice", () => {
    const held: readonly [string, Partial<PodSpec>, { moves?: "stays" | "stop first" }, RegExp][] = [
      ["a folder of the host", { volumes: [{ name: "data", hostPath: { path: "/data" } }] }, {}, /keeps data/],
      [
        "a persistent claim",
        { volumes: [{ name: "d", persistentVolumeClaim: { claimName: "d" } }] as never },
        {},
        /keeps data/,
      ],
      [
        "docker's own volume",
        { containers: [{ name: "m", image: "i", docker: { parameters: [{ key: "volume", value: "/a:/b" }] } }] },
        {},
        /keeps data/,
      ],
      ["exclusive", { exclusive: true }, {}, /one only/],
      ["stop first", {}, { moves: "stop first" }, /one only/],
      ["global", {}, { moves: "stays" }, /belongs/],
      ["resident", { constraints: [{ type: "resident", nodeName: "n1" }] }, {}, /to stay/],
    ];
    for (const [why, spec, more, reason] of held) {
      const { moves, left } = plan(three, podsOf(three, { web: [4, 0, 0] }, spec), more);
      assert.deepEqual(moves, [], why);
      assert.match(left[0]?.reason ?? "", reason, why);
    }
    const harmless = { volumes: [{ name: "tmp", emptyDir: {} }] };
    assert.equal(plan(three, podsOf(three, { web: [4, 0, 0] }, harmless)).moves.length, 2);
  });

  test("what others have to be together with stays", () => {
    const together = {
      type: "together",
      topologyKey: NODE_LABEL.hostname,
      pods: { by: "workload", glob: "web" },
    } as const;
    const follower = podsOf(three, { side: [1, 0, 0] }, { constraints: [together] });
    const { moves, left } = plan(three, [...podsOf(three, { web: [4, 0, 0] }), ...follower]);
    assert.deepEqual(moves, []);
    assert.match(left[0]?.reason ?? "", /others have to be where it is/);
  });

  test("no node is asked that is cordoned, not ready or full, and hard rules hold", () => {
    const odd: readonly TestNode[] = [
      { name: "n1" },
      { name: "n2", cordoned: true },
      { name: "n3", ready: false },
      { name: "n4", cpu: "50m" },
    ];
    const { moves, left } = plan(odd, podsOf(odd, { web: [4, 0, 0, 0] }));
    assert.deepEqual(moves, []);
    assert.match(left[0]?.reason ?? "", /no better place/);
    const ssd = [three[0], { name: "n2", labels: { disk: "ssd" } }, three[2]] as readonly TestNode[];
    const spec = { constraints: [{ type: "notIn", key: "disk", values: ["ssd"] }] } as const;
    const { workloads } = plan(ssd, podsOf(ssd, { web: [6, 0, 0] }, spec));
    assert.deepEqual(workloads.map(line), ["6/0/0 → 3/0/3, 3 moves"]);
  });

  test("a move that would gain a little only is not worth it", () => {
    const layout = { a: [1, 0, 0], b: [1, 0, 0] };
    assert.deepEqual(plan(three, podsOf(three, layout, {}, "1600m")).moves, []);
    assert.equal(plan(three, podsOf(three, { ...layout, c: [1, 0, 0] }, {}, "1300m")).moves.length, 1);
  });

  test("a node that is being emptied gives nothing away here: that is the drain's", () => {
    const nodes = [{ name: "n1", cordoned: true }, ...three.slice(1)];
    const { moves } = plan(nodes, podsOf(nodes, { web: [6, 4, 0] }));
    assert.deepEqual(
      moves.map(({ from, to }) => `${from} → ${to}`),
      ["n2 → n3", "n2 → n3"],
    );
    assert.deepEqual(plan(nodes, podsOf(nodes, { web: [6, 0, 0] })).moves, []);
  });

  test("a workload that is not settled is left, with the numbers", () => {
    const [first, ...rest] = podsOf(three, { web: [4, 0, 0] });
    const broken = { ...(first as Pod), status: { phase: "Running" as const } };
    const { moves, left } = plan(three, [broken, ...rest]);
    assert.deepEqual(moves, []);
    assert.match(left[0]?.reason ?? "", /3 of 4 copies are ready/);
  });

  test("the budget cuts it, the most uneven first, and says what is beyond", () => {
    const { moves, beyondBudget, workloads } = plan(three, podsOf(three, { api: [4, 0, 0], web: [9, 0, 0] }), {
      budget: 4,
    });
    assert.equal(moves.length, 4);
    assert.equal(beyondBudget, 4);
    assert.deepEqual(workloads.map(line), ["9/0/0 → 5/2/2, 4 moves"]);
  });

  test("whoever runs it is asked to let others have their turn after every few pods, and every place that is tried", () => {
    const twenty = Array.from({ length: 20 }, (_, at) => ({ name: `n${at}` }));
    const layout = Object.fromEntries(
      [..."abcdefghij"].map((name) => [name, twenty.map((_, at) => (at < 10 ? 9 : 0))]),
    );
    const pods = podsOf(twenty, layout, {}, "10m");
    const { moves } = plan(twenty, pods);
    const tried = 3;
    let steps = 0;
    for (const iterator = stepsOf(twenty, pods, { budget: 2_000 }); !iterator.next().done; ) steps++;
    assert.ok(moves.length === 100, `${moves.length} moves`);
    assert.ok(steps >= pods.length / 25 + moves.length * tried, `${steps} steps`);
  });

  test("whatever the layout: nothing gets more uneven, a second plan has nothing to gain, pods move once", () => {
    const counts = fc.array(fc.integer({ min: 0, max: 8 }), { minLength: 3, maxLength: 3 });
    fc.assert(
      fc.property(counts, counts, counts, (a, b, c) => {
        const pods = podsOf(three, { a, b, c });
        const { moves, workloads } = plan(three, pods);
        assert.equal(new Set(moves.map(({ uid }) => uid)).size, moves.length);
        const gap = (numbers: readonly number[]) => Math.max(...numbers) - Math.min(...numbers);
        for (const row of workloads) assert.ok(gap(row.after) <= gap(row.before), line(row));
        const to = new Map(moves.map((move) => [move.uid, move.to]));
        const moved = pods.map((pod) => {
          const nodeName = to.get(pod.metadata.uid);
          return nodeName === undefined ? pod : { ...pod, spec: { ...pod.spec, nodeName } };
        });
        assert.deepEqual(plan(three, moved).moves, []);
      }),
      { numRuns: 60 },
    );
  });
});
