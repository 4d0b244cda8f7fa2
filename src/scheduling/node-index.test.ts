import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { Constraint, PodSelection } from "../model/constraint.ts";
import type { Pod } from "../model/pod.ts";
import { Census } from "./census.ts";
import { compileDemand } from "./demand.ts";
import { nodeFacts } from "./node-facts.ts";
import { NodeIndex } from "./node-index.ts";
import { NodeInfo, type PlacedPod } from "./node-info.ts";
import { schedulePod } from "./schedule-pod.ts";
import type { Strategy } from "./scores.ts";
import { testNode, testPod } from "./test-objects.ts";

const name = fc.integer({ min: 0, max: 7 }).map((n) => `n${n}`);
const app = fc.constantFrom("a", "b", "c");
const topologyKey = fc.constantFrom("kubernetes.io/hostname", "topology.kubernetes.io/zone", "rack");
const preferred = fc.option(fc.integer({ min: 1, max: 100 }), { nil: undefined });

const node = fc
  .record({
    name,
    cpu: fc.constantFrom("1", "2", "4"),
    memory: fc.constantFrom("1Gi", "2Gi", "4Gi"),
    zone: fc.constantFrom("z1", "z2", "z3", undefined),
    rack: fc.constantFrom("r1", "r2", undefined),
    disk: fc.constantFrom("ssd", undefined),
    pods: fc.constantFrom("3", "110"),
    ready: fc.integer({ min: 0, max: 9 }).map((n) => n > 0),
    cordoned: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
    taint: fc.constantFrom(undefined, undefined, "NoSchedule" as const, "PreferNoSchedule" as const),
    docker: fc.integer({ min: 0, max: 9 }).map((n) => n > 0),
    unwell: fc.constantFrom(undefined, undefined, undefined, "IOStalled", "EngineSilent"),
  })
  .map(({ zone, rack, disk, taint, ...rest }) =>
    testNode({
      ...rest,
      labels: {
        ...(zone ? { "topology.kubernetes.io/zone": zone } : {}),
        ...(rack ? { rack } : {}),
        ...(disk ? { disk } : {}),
      },
      taints: taint ? [{ key: "dedicated", effect: taint }] : [],
    }),
  );

const selection: fc.Arbitrary<PodSelection> = fc.oneof(
  app.map((value): PodSelection => ({ by: "labels", selector: { matchLabels: { app: value } } })),
  fc.constantFrom("a*", "b", "?").map((glob): PodSelection => ({ by: "workload", glob })),
);

function withWeight(constraint: Constraint, weight: number | undefined): Constraint {
  return weight === undefined ? constraint : { ...constraint, preferred: weight };
}

const constraint: fc.Arbitrary<Constraint> = fc
  .tuple(
    fc.oneof(
      fc.constantFrom<Constraint>(
        { type: "in", key: "disk", values: ["ssd"] },
        { type: "matches", key: "rack", pattern: "r[12]" },
        { type: "in", key: "kubernetes.io/hostname", values: ["n1", "n2"] },
        { type: "machine", id: "machine-n3" },
        { type: "notExists", key: "rack" },
      ),
      fc.record({
        type: fc.constant("spread" as const),
        topologyKey,
        pods: selection,
        maxSkew: fc.integer({ min: 1, max: 2 }),
      }),
      fc.record({
        type: fc.constant("spread" as const),
        topologyKey,
        pods: selection,
        groups: fc.integer({ min: 1, max: 3 }),
        total: fc.integer({ min: 1, max: 6 }),
      }),
      fc.record({
        type: fc.constant("atMost" as const),
        topologyKey,
        pods: selection,
        count: fc.integer({ min: 1, max: 2 }),
      }),
      fc.record({ type: fc.constant("sameValue" as const), topologyKey, pods: selection }),
      fc.record({ type: fc.constant("together" as const), topologyKey, pods: selection, orFirst: fc.boolean() }),
      fc.record({ type: fc.constant("apart" as const), topologyKey, pods: selection }),
    ),
    preferred,
  )
  .map(([rule, weight]) => withWeight(rule, weight));

const template = fc.record({
  app,
  cpu: fc.constantFrom(undefined, "100m", "250m", "1"),
  memory: fc.constantFrom(undefined, "64Mi", "512Mi"),
  hostPort: fc.constantFrom(undefined, undefined, 80, 443),
  constraints: fc.array(constraint, { maxLength: 2 }),
  tolerates: fc.constantFrom(false, true, "cordon" as const),
  owner: fc.constantFrom(undefined, "owner-1", "owner-2"),
});

type Step =
  | { readonly do: "place"; readonly template: number }
  | { readonly do: "remove"; readonly pod: number }
  | { readonly do: "node"; readonly node: ReturnType<typeof testNode> }
  | { readonly do: "lose"; readonly name: string };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 12, arbitrary: fc.record({ do: fc.constant("place" as const), template: fc.nat(4) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("remove" as const), pod: fc.nat(50) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("node" as const), node }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("lose" as const), name }) },
);

/** The same history, kept plainly: what the index must agree with. */
class PlainCluster {
  readonly nodes = new Map<string, NodeInfo>();

  sorted(): readonly NodeInfo[] {
    return [...this.nodes.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }
}

function run(
  nodes: readonly ReturnType<typeof testNode>[],
  pods: readonly Pod[],
  steps: readonly Step[],
  strategy: Strategy,
) {
  const index = new NodeIndex(strategy);
  const plain = new PlainCluster();
  const demands = pods.map(compileDemand);
  const placed: { readonly key: string; readonly nodeName: string }[] = [];
  const setNode = (one: ReturnType<typeof testNode>) => {
    const facts = nodeFacts(one);
    index.setNode(facts);
    plain.nodes.set(facts.name, new NodeInfo(facts, plain.nodes.get(facts.name)?.pods.values() ?? []));
  };
  for (const one of nodes) setNode(one);
  for (const [at, one] of steps.entries()) {
    if (one.do === "node") setNode(one.node);
    if (one.do === "lose") {
      index.removeNode(one.name);
      plain.nodes.delete(one.name);
    }
    if (one.do === "remove" && placed.length > 0) {
      const [gone] = placed.splice(one.pod % placed.length, 1);
      if (gone) {
        index.removePod(gone.nodeName, gone.key);
        plain.nodes.get(gone.nodeName)?.remove(gone.key);
      }
    }
    if (one.do !== "place") continue;
    const demand = demands[one.template % demands.length];
    assert.ok(demand);
    const expected = schedulePod(demand, plain.sorted(), Census.of(plain.nodes.values()), strategy);
    const found = index.place(demand);
    assert.deepEqual(
      found && { node: found.node.name, cost: found.cost },
      expected && { node: expected.node.name, cost: expected.cost },
      `step ${at}`,
    );
    if (!expected) continue;
    const pod: PlacedPod = { key: `default/p${at}`, identity: demand.identity, demand };
    index.addPod(expected.node.name, pod);
    plain.nodes.get(expected.node.name)?.add(pod);
    placed.push({ key: pod.key, nodeName: expected.node.name });
  }
}

describe("census", () => {
  test("the fewest per node stays right through pods that come and go between questions", () => {
    const census = new Census();
    const facts = nodeFacts(testNode({ name: "n1" }));
    const demand = compileDemand(testPod({ app: "a" }));
    const selection = { key: "all", selects: () => true };
    census.addNode(facts, []);
    const pod = (n: number): PlacedPod => ({ key: `default/p${n}`, identity: demand.identity, demand });
    const fewest = () => census.tally(selection).fewestPerNode(1);
    for (const n of [1, 2]) census.add(facts, pod(n));
    assert.equal(fewest(), 2);
    census.add(facts, pod(3));
    census.remove(facts, pod(3));
    census.add(facts, pod(3));
    assert.equal(fewest(), 3);
    for (const n of [1, 2, 3]) census.remove(facts, pod(n));
    assert.equal(fewest(), 0);
  });
});

describe("node index", () => {
  for (const strategy of ["spread", "binpack"] as const) {
    test(`places exactly as the plain scan does, whatever happened before (${strategy})`, () => {
      fc.assert(
        fc.property(
          fc.uniqueArray(node, { minLength: 1, maxLength: 8, selector: (one) => one.metadata.name }),
          fc.array(template, { minLength: 1, maxLength: 4 }),
          fc.array(step, { minLength: 5, maxLength: 40 }),
          (nodes, templates, steps) =>
            run(
              nodes,
              templates.map((one) => testPod(one)),
              steps,
              strategy,
            ),
        ),
        { numRuns: 1000 },
      );
    });
  }
});
