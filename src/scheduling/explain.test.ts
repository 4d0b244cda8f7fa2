import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { Constraint } from "../model/constraint.ts";
import type { Node } from "../model/node.ts";
import type { Pod } from "../model/pod.ts";
import { Census } from "./census.ts";
import { compileDemand } from "./demand.ts";
import { explainPod } from "./explain.ts";
import { type NodeInfo, nodeInfoOf } from "./node-info.ts";
import { schedulePod } from "./schedule-pod.ts";
import { type TestPod, testNode, testPod } from "./test-objects.ts";
import { withChanges } from "./unblock.ts";

const RULES = { strategy: "spread" } as const;

function on(node: Node, ...pods: readonly TestPod[]): NodeInfo {
  return nodeInfoOf(
    node,
    pods.map((pod) => testPod({ ...pod, spec: { nodeName: node.metadata.name, ...pod.spec } })),
  );
}

/** Without the functions of rules, which are compiled anew for each demand. */
function plain(found: ReturnType<typeof explainPod>): unknown {
  return JSON.parse(JSON.stringify(found));
}

function places(pod: Pod, nodes: readonly NodeInfo[]): string | undefined {
  return schedulePod(compileDemand(pod), nodes, Census.of(nodes), "spread")?.node.name;
}

describe("explain", () => {
  test("a pod that waits for memory: the numbers, and a smaller request that is then placed", () => {
    const nodes = [
      on(testNode({ name: "n1", memory: "1Gi" }), { name: "x", memory: "900Mi" }),
      on(testNode({ name: "n3", memory: "2Gi" }), { name: "y", memory: "1748Mi" }),
    ];
    const found = explainPod(testPod({ memory: "1Gi" }), nodes, RULES);
    assert.equal(found.unblockings[0]?.message, "fits on n3 if memory ≤ 300 MiB");
    assert.equal(found.summary, "pending: 0 of 2 nodes can take it; it fits on n3 if memory ≤ 300 MiB");
    const messages = found.verdicts.map(({ nodes: names, refusals }) => `${names}: ${refusals[0]?.message}`);
    assert.deepEqual(messages, [
      "n1: needs 1 GiB memory, 124 MiB of 1 GiB free",
      "n3: needs 1 GiB memory, 300 MiB of 2 GiB free",
    ]);
    assert.equal(places(testPod({ memory: "301Mi" }), nodes), undefined);
    assert.equal(places(testPod({ memory: "300Mi" }), nodes), "n3");
  });

  test("a held port: who holds it, and freeing it is enough", () => {
    const node = testNode({ name: "n1" });
    const found = explainPod(testPod({ hostPort: 80 }), [on(node, { name: "nginx", hostPort: 80 })], RULES);
    assert.equal(found.unblockings[0]?.message, "fits on n1 if port 80 is freed (held by default/nginx)");
    assert.equal(places(testPod({ hostPort: 80 }), [on(node)]), "n1");
  });

  test("a pod that was sent to a node that is not there is told so", () => {
    const found = explainPod(testPod({ spec: { nodeName: "gone" } }), [on(testNode({ name: "n1" }))], RULES);
    assert.equal(found.summary, "its spec.nodeName is gone, and there is no node of that name: nothing runs it");
  });

  test("a resource that a node does not offer, or has too few of", () => {
    const pod = testPod({
      spec: { containers: [{ name: "c", image: "i", resources: { requests: { "x.org/a": "2", "x.org/b": "1" } } }] },
    });
    const node = testNode({ name: "n1" });
    const allocatable = { ...node.status.allocatable, "x.org/a": "1" };
    const found = explainPod(pod, [on({ ...node, status: { ...node.status, allocatable } })], RULES);
    assert.match(
      found.unblockings[0]?.message ?? "",
      /^fits on n1 if it asks for at most 1 x\.org\/a and it does without x\.org\/b$/,
    );
  });

  test("a missing driver, a driver that does not work, a cordon", () => {
    const messages = (node: Node) =>
      explainPod(testPod({}), [on(node)], RULES).unblockings.map(({ message }) => message);
    assert.deepEqual(messages(testNode({ name: "n1", drivers: {} })), ["fits on n1 if Docker is installed"]);
    assert.deepEqual(messages(testNode({ name: "n1", docker: false })), ["fits on n1 if Docker works"]);
    assert.deepEqual(messages(testNode({ name: "n1", cordoned: true })), ["fits on n1 if it is uncordoned"]);
  });

  test("a node without a network for pods takes those that need none; one that is merely not reached takes all", () => {
    const message = "Docker does not make the pod network";
    const without = (reason: string): Node => {
      const node = testNode({ name: "n1" });
      const condition = { type: "NetworkUnavailable", status: "True", reason, message } as const;
      return { ...node, status: { ...node.status, conditions: [...node.status.conditions, condition] } };
    };
    const missing = on(without("PodNetworkMissing"));
    const found = explainPod(testPod({}), [missing], RULES);
    assert.equal(found.verdicts[0]?.refusals[0]?.message, `gives pods no network: ${message}`);
    assert.equal(found.unblockings[0]?.message, "fits on n1 if pods get a network there again");
    assert.equal(places(testPod({}), [missing]), undefined);
    assert.equal(places(testPod({}), [on(without("PodRangesExhausted"))]), undefined);
    assert.equal(places(testPod({}), [on(without("NotReached"))]), "n1");
    const onHost = testPod({ spec: { hostNetwork: true } });
    assert.equal(places(onHost, [missing]), "n1");
    const own = testPod({ spec: { containers: [{ name: "c", image: "x", docker: { network: "mine" } }] } });
    assert.equal(places(own, [missing]), "n1");
    const processes = testPod({ spec: { containers: [{ name: "p", command: ["sleep"] }] } });
    assert.equal(places(processes, [missing]), "n1");
  });

  test("a health word that steers pods away is among the scores", () => {
    const nodes = [on(testNode({ name: "n1", unwell: "EngineSilent" })), on(testNode({ name: "n2" }))];
    const found = explainPod(testPod({}), nodes, RULES);
    assert.equal(found.wouldChoose, "n2");
    const unwell = found.verdicts.find(({ nodes: names }) => names.includes("n1"));
    assert.deepEqual(unwell?.refusals, []);
    assert.ok(unwell?.scores.some(({ name, points }) => name === "health EngineSilent" && points < -100));
  });

  test("a rule that no node satisfies is named as its user wrote it", () => {
    const constraints: readonly Constraint[] = [
      { type: "in", key: "disk", values: ["ssd"], from: "MachineMetadata=disk=ssd" },
    ];
    const found = explainPod(testPod({ constraints }), [on(testNode({ name: "n1", labels: { disk: "hdd" } }))], RULES);
    assert.equal(found.unblockings[0]?.message, 'fits on n1 if the rule "MachineMetadata=disk=ssd" is lifted');
    assert.equal(
      found.verdicts[0]?.refusals[0]?.message,
      "does not satisfy MachineMetadata=disk=ssd (it has disk=hdd)",
    );
  });

  test("a placed pod is explained as if it were placed again, without counting itself", () => {
    const pod = testPod({ name: "a", app: "web", cpu: "3", spec: { nodeName: "n1" } });
    const nodes = [nodeInfoOf(testNode({ name: "n1" }), [pod]), on(testNode({ name: "n2" }), { name: "b", cpu: "2" })];
    const found = explainPod(pod, nodes, RULES);
    assert.equal(found.nodeName, "n1");
    assert.equal(found.wouldChoose, "n1");
    assert.match(found.summary, /^on n1, which is still the best/);
    const [first, second] = found.verdicts;
    assert.deepEqual(first?.nodes, ["n1"]);
    assert.ok(first?.scores.some(({ name }) => name === "least allocated"));
    assert.equal(second?.refusals[0]?.message, "needs 3 CPU, 2 of 4 free");
  });

  test("nodes of which the same can be said are one verdict", () => {
    const nodes = ["n1", "n2", "n3"].map((name) => on(testNode({ name, cpu: "1" })));
    const found = explainPod(testPod({ cpu: "2" }), nodes, RULES);
    assert.deepEqual(
      found.verdicts.map(({ nodes: names }) => names),
      [["n1", "n2", "n3"]],
    );
  });

  test("every change it names lets the pod be placed", () => {
    const constraint = fc.constantFrom<Constraint>(
      { type: "in", key: "disk", values: ["ssd"] },
      { type: "exists", key: "rack" },
      { type: "machine", id: "machine-n1" },
      { type: "apart", topologyKey: "zone", pods: { by: "labels", selector: { matchLabels: { app: "b" } } } },
      { type: "together", topologyKey: "zone", pods: { by: "workload", glob: "c*" } },
      { type: "spread", topologyKey: "zone", pods: { by: "labels", selector: { matchLabels: { app: "a" } } } },
      { type: "atMost", count: 1, topologyKey: "zone", pods: { by: "labels", selector: {} } },
    );
    const pod = fc.record({
      app: fc.constantFrom("a", "b", "c"),
      cpu: fc.constantFrom(undefined, "500m", "3"),
      memory: fc.constantFrom(undefined, "600Mi", "3000001Ki"),
      hostPort: fc.constantFrom(undefined, 80),
      constraints: fc.array(constraint, { maxLength: 2 }),
    });
    const node = fc.record({
      cpu: fc.constantFrom("1", "2"),
      memory: fc.constantFrom("1Gi", "1500001Ki"),
      pods: fc.constantFrom("2", "9"),
      docker: fc.boolean(),
      ready: fc.boolean(),
      cordoned: fc.boolean(),
      labels: fc.constantFrom<Record<string, string>>({}, { zone: "z1" }, { zone: "z2", disk: "ssd" }, { rack: "r" }),
      dedicated: fc.boolean(),
      held: fc.array(pod, { maxLength: 3 }),
    });
    let named = 0;
    const ways: number[] = [];
    fc.assert(
      fc.property(fc.array(node, { minLength: 1, maxLength: 4 }), pod, (wanted, asked) => {
        const nodes = wanted.map(({ held, dedicated, ...rest }, at) => {
          const taints = dedicated ? [{ key: "dedicated", effect: "NoSchedule" as const }] : [];
          const pods = held.map((one, n) => ({ ...one, name: `held-${at}-${n}` }));
          return on(testNode({ ...rest, taints, name: `n${at}` }), ...pods);
        });
        const subject = testPod({ ...asked, name: "subject" });
        const found = explainPod(subject, nodes, RULES);
        assert.equal(found.wouldChoose, places(subject, nodes), "says what the scheduler would do");
        const shared = Census.of(nodes);
        // A placed pod is taken out for the while that it is looked at.
        for (const held of wanted[0]?.held ?? []) {
          const placed = testPod({ ...held, name: "held-0-0", spec: { nodeName: "n0" } });
          assert.deepEqual(plain(explainPod(placed, nodes, RULES, shared)), plain(explainPod(placed, nodes, RULES)));
        }
        assert.deepEqual(plain(explainPod(subject, nodes, RULES, shared)), plain(found), "the census is as it was");
        for (const { nodeName, changes, message } of found.unblockings) {
          named++;
          const after = withChanges(compileDemand(subject), nodes, nodeName, changes);
          const census = Census.of(after.nodes);
          assert.ok(schedulePod(after.demand, after.nodes, census, "spread"), message);
        }
        if (found.wouldChoose === undefined) ways.push(found.unblockings.length);
      }),
      { numRuns: 1000 },
    );
    assert.ok(named > 500, `${named} changes were tried`);
    const helped = ways.filter((count) => count > 0).length;
    assert.ok(helped > 0.95 * ways.length, `there is nearly always something to do: ${helped} of ${ways.length}`);
  });
});
