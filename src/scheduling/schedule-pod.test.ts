import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Constraint, PodSelection } from "../model/constraint.ts";
import type { PodSpec } from "../model/pod.ts";
import { Census } from "./census.ts";
import { compileDemand } from "./demand.ts";
import { type NodeInfo, nodeInfoOf } from "./node-info.ts";
import { schedulePod } from "./schedule-pod.ts";
import type { Strategy } from "./scores.ts";
import { type TestNode, type TestPod, testNode, testPod } from "./test-objects.ts";

const HOST = "kubernetes.io/hostname";
const ZONE = "topology.kubernetes.io/zone";
const own: PodSelection = { by: "labels", selector: { matchLabels: { app: "a" } } };

/** Places copies one after the other; gives where each went, `-` for nowhere. */
function placeAll(nodes: readonly TestNode[], pods: readonly TestPod[], strategy: Strategy = "spread"): string {
  const infos: readonly NodeInfo[] = nodes.map((node) => nodeInfoOf(testNode(node), []));
  return pods
    .map((pod, at) => {
      const demand = compileDemand(testPod({ ...pod, name: `p${at}` }));
      const found = schedulePod(demand, infos, Census.of(infos), strategy);
      found?.node.add({ key: `default/p${at}`, identity: demand.identity, demand });
      return found?.node.name ?? "-";
    })
    .join(" ");
}

const copies = (count: number, pod: TestPod = {}) => Array.from({ length: count }, () => ({ app: "a", ...pod }));
const withRule = (...constraints: Constraint[]) => ({ constraints });
const zoned = (...zones: readonly (string | undefined)[]): readonly TestNode[] =>
  zones.map((zone, at) => ({ name: `n${at + 1}`, ...(zone ? { labels: { [ZONE]: zone } } : {}) }));
const racked = (...racks: readonly (string | undefined)[]): readonly TestNode[] =>
  racks.map((rack, at) => ({ name: `n${at + 1}`, ...(rack ? { labels: { rack } } : {}) }));

const CASES: readonly {
  readonly name: string;
  readonly nodes: readonly TestNode[];
  readonly pods: readonly TestPod[];
  readonly placed: string;
  readonly why?: string;
  readonly strategy?: Strategy;
}[] = [
  { name: "ties: the first node by name wins", nodes: zoned(undefined, undefined), pods: [{}], placed: "n1" },
  {
    name: "the least loaded node wins",
    nodes: [
      { name: "n1", cpu: "2" },
      { name: "n2", cpu: "8" },
    ],
    pods: [{ cpu: "1" }, { cpu: "1" }, { cpu: "1" }],
    placed: "n2 n2 n2",
  },
  {
    name: "a node whose health word is bad takes what fits nowhere else, and only that",
    nodes: [
      { name: "n1", unwell: "IOStalled" },
      { name: "n2", cpu: "3" },
    ],
    pods: copies(4, { cpu: "1" }),
    placed: "n2 n2 n2 n1",
  },
  {
    name: "a process keeper that is silent is no concern of containers",
    nodes: [{ name: "n1", unwell: "KeeperSilent" }, { name: "n2" }],
    pods: copies(2, { cpu: "1" }),
    placed: "n1 n2",
  },
  {
    name: "a process keeper that is silent is shunned by processes",
    nodes: [{ name: "n1", unwell: "KeeperSilent" }, { name: "n2" }],
    pods: copies(2, { cpu: "1", spec: { containers: [{ name: "main", command: ["sleep", "1"], driver: "process" }] } }),
    placed: "n2 n2",
  },
  {
    name: "pods that ask for nothing still spread",
    nodes: zoned(undefined, undefined),
    pods: [{ name: "x" }, { name: "y" }, { name: "z" }],
    placed: "n1 n2 n1",
  },
  {
    name: "binpack fills a node before the next",
    nodes: zoned(undefined, undefined),
    pods: copies(3, { cpu: "2" }),
    placed: "n1 n1 n2",
    strategy: "binpack",
  },
  {
    name: "copies go to different hosts although one is emptier",
    nodes: [{ name: "n1", cpu: "64", memory: "256Gi" }, { name: "n2" }],
    pods: copies(3, { cpu: "1" }),
    placed: "n1 n2 n1",
  },
  {
    name: "copies go to different zones",
    nodes: zoned("z1", "z1", "z2"),
    pods: copies(3),
    placed: "n1 n3 n2",
  },
  {
    name: "UNIQUE: one per value, and a node without the label takes none",
    nodes: racked("r1", "r1", "r2", undefined),
    pods: copies(3, withRule({ type: "atMost", topologyKey: "rack", count: 1, pods: own })),
    placed: "n1 n3 -",
  },
  {
    name: "MAX_PER 2",
    nodes: racked("r1", "r2"),
    pods: copies(5, withRule({ type: "atMost", topologyKey: "rack", count: 2, pods: own })),
    placed: "n1 n2 n1 n2 -",
  },
  {
    name: "CLUSTER without a value: the first chooses for all",
    nodes: racked("r1", "r2", "r1"),
    pods: copies(3, withRule({ type: "sameValue", topologyKey: "rack", pods: own })),
    placed: "n1 n3 n1",
  },
  {
    name: "GROUP_BY 2 of 5: two groups, of 3 and 2, and no third",
    nodes: racked("r1", "r2", "r3"),
    pods: copies(6, withRule({ type: "spread", topologyKey: "rack", pods: own, groups: 2, total: 5 })),
    placed: "n1 n2 n1 n2 n1 -",
    why: "known group: count < base, or count == base and remainder left; new group: fewer groups than wanted",
  },
  {
    name: "GROUP_BY 3 of 2: a group each",
    nodes: racked("r1", "r2"),
    pods: copies(3, withRule({ type: "spread", topologyKey: "rack", pods: own, groups: 3, total: 2 })),
    placed: "n1 n2 -",
    why: "base is 0 and every group that has one is over it",
  },
  {
    name: "GROUP_BY 0 spreads and never blocks",
    nodes: racked("r1", "r2"),
    pods: copies(3, withRule({ type: "spread", topologyKey: "rack", pods: own, groups: 0, total: 3 })),
    placed: "n1 n2 n1",
  },
  {
    name: "topologySpreadConstraints: a zone that is full blocks the others at maxSkew 1",
    nodes: [
      { name: "n1", labels: { [ZONE]: "z1" } },
      { name: "n2", labels: { [ZONE]: "z2" }, cpu: "1" },
    ],
    pods: copies(4, { cpu: "1", spec: spreadOver(ZONE, {}) }),
    placed: "n1 n2 n1 -",
  },
  {
    name: "topologySpreadConstraints: ScheduleAnyway never blocks",
    nodes: [
      { name: "n1", labels: { [ZONE]: "z1" } },
      { name: "n2", labels: { [ZONE]: "z2" }, cpu: "1" },
    ],
    pods: copies(4, { cpu: "1", spec: spreadOver(ZONE, { whenUnsatisfiable: "ScheduleAnyway" }) }),
    placed: "n1 n2 n1 n1",
  },
  {
    name: "topologySpreadConstraints: fewer domains than minDomains count as an empty one",
    nodes: zoned("z1", "z2"),
    pods: copies(3, { spec: spreadOver(ZONE, { minDomains: 3 }) }),
    placed: "n1 n2 -",
  },
  {
    name: "topologySpreadConstraints: only nodes that the pod may use are domains",
    nodes: [
      { name: "n1", labels: { [ZONE]: "z1", disk: "ssd" } },
      { name: "n2", labels: { [ZONE]: "z2" } },
    ],
    pods: copies(2, { spec: { ...spreadOver(ZONE, {}), nodeSelector: { disk: "ssd" } } }),
    placed: "n1 n1",
  },
  {
    name: "anti-affinity by host: one per node, then none",
    nodes: zoned(undefined, undefined),
    pods: copies(3, {
      spec: {
        affinity: {
          podAntiAffinity: {
            requiredDuringSchedulingIgnoredDuringExecution: [
              { topologyKey: HOST, labelSelector: { matchLabels: { app: "a" } } },
            ],
          },
        },
      },
    }),
    placed: "n1 n2 -",
  },
  {
    name: "Conflicts bind both ways: one that comes later is kept away by one that is there",
    nodes: zoned(undefined),
    pods: [
      { app: "db", ...withRule({ type: "apart", topologyKey: HOST, pods: { by: "workload", glob: "web*" } }) },
      { app: "web-1" },
    ],
    placed: "n1 -",
  },
  {
    name: "Conflicts: the new one's glob meets what is there; a malformed glob meets nothing",
    nodes: zoned(undefined),
    pods: [
      { app: "web-1" },
      { app: "x", ...withRule({ type: "apart", topologyKey: HOST, pods: { by: "workload", glob: "web-[" } }) },
      { app: "y", ...withRule({ type: "apart", topologyKey: HOST, pods: { by: "workload", glob: "web-?" } }) },
    ],
    placed: "n1 n1 -",
  },
  {
    name: "MachineOf: beside its peer, and nowhere without it",
    nodes: [{ name: "n1" }, { name: "n2", cpu: "64", memory: "99Gi" }],
    pods: [
      { app: "side", ...withRule({ type: "together", topologyKey: HOST, pods: { by: "workload", glob: "main" } }) },
      { app: "main" },
      { app: "side", ...withRule({ type: "together", topologyKey: HOST, pods: { by: "workload", glob: "main" } }) },
    ],
    placed: "- n2 n2",
  },
  {
    name: "pod affinity to itself: the first may start the group",
    nodes: zoned(undefined, undefined),
    pods: copies(2, {
      spec: {
        affinity: {
          podAffinity: {
            requiredDuringSchedulingIgnoredDuringExecution: [
              { topologyKey: HOST, labelSelector: { matchLabels: { app: "a" } } },
            ],
          },
        },
      },
    }),
    placed: "n1 n1",
  },
  {
    name: "MachineID takes the id or its first eight characters",
    nodes: [{ name: "n1" }, { name: "n2" }],
    pods: [withRule({ type: "machine", id: "machine-n2" }), withRule({ type: "machine", id: "machine-" })],
    placed: "n2 n1",
  },
  {
    name: "LIKE and UNLIKE match the whole value; without the label only UNLIKE passes",
    nodes: racked("rack-1", "rack-22", undefined),
    pods: [
      { name: "a", ...withRule({ type: "matches", key: "rack", pattern: "rack-\\d" }) },
      { name: "b", ...withRule({ type: "matches", key: "rack", pattern: "ack" }) },
      { name: "c", ...withRule({ type: "notMatches", key: "rack", pattern: "rack-.*" }) },
    ],
    placed: "n1 - n3",
  },
  {
    name: "a pattern that would take for ever elsewhere takes no time here",
    nodes: racked(`${"a".repeat(60)}!`),
    pods: [withRule({ type: "matches", key: "rack", pattern: "(a+)+$" })],
    placed: "-",
  },
  {
    name: "a preference is followed while it can be",
    nodes: racked("r1", "r2"),
    pods: [1, 2].map((n) => ({
      name: `x${n}`,
      cpu: "3",
      ...withRule({ type: "in", key: "rack", values: ["r2"], preferred: 50 }),
    })),
    placed: "n2 n1",
  },
  {
    name: "taints: NoSchedule needs a toleration, PreferNoSchedule is avoided",
    nodes: [
      { name: "n1", taints: [{ key: "gpu", effect: "NoSchedule" }] },
      { name: "n2", taints: [{ key: "old", effect: "PreferNoSchedule" }] },
      { name: "n3", cpu: "1" },
    ],
    pods: [{ cpu: "1" }, { cpu: "1" }, { cpu: "1", tolerates: true }],
    placed: "n3 n2 n1",
  },
  {
    name: "nodes that are cordoned, not ready, or without the driver take nothing",
    nodes: [
      { name: "n1", cordoned: true },
      { name: "n2", ready: false },
      { name: "n3", docker: false },
    ],
    pods: [{}],
    placed: "-",
  },
  {
    name: "a cordoned node takes what names the taint of a cordon, not what tolerates everything",
    nodes: [{ name: "n1", cordoned: true }],
    pods: [{ tolerates: true }, { tolerates: "cordon" }],
    placed: "- n1",
  },
  {
    name: "residency: only where it has been",
    nodes: zoned(undefined, undefined),
    pods: [withRule({ type: "resident", nodeName: "n2" })],
    placed: "n2",
  },
];

function spreadOver(
  topologyKey: string,
  more: { readonly whenUnsatisfiable?: "DoNotSchedule" | "ScheduleAnyway"; readonly minDomains?: number },
): Partial<PodSpec> {
  const labelSelector = { matchLabels: { app: "a" } };
  return {
    topologySpreadConstraints: [
      { maxSkew: 1, topologyKey, whenUnsatisfiable: "DoNotSchedule", labelSelector, ...more },
    ],
  };
}

describe("schedulePod", () => {
  for (const { name, nodes, pods, placed, why, strategy } of CASES) {
    test(name, () => assert.equal(placeAll(nodes, pods, strategy), placed, why));
  }

  test("copies that are on their way out do not count for spread, and do for anti-affinity", () => {
    const leaving = testPod({ app: "a", name: "old", spec: { nodeName: "n1" } });
    const metadata = { ...leaving.metadata, deletionTimestamp: "2026-01-01T00:00:00Z" };
    const labels = (zone: string) => ({ labels: { [ZONE]: zone } });
    const nodes = [
      nodeInfoOf(testNode({ name: "n1", ...labels("z1") }), [{ ...leaving, metadata }]),
      nodeInfoOf(testNode({ name: "n2", ...labels("z2"), ready: false }), []),
    ];
    const place = (pod: TestPod) =>
      schedulePod(compileDemand(testPod(pod)), nodes, Census.of(nodes), "spread")?.node.name;
    assert.equal(place({ app: "a", spec: spreadOver(ZONE, { minDomains: 2 }) }), "n1");
    assert.equal(place({ app: "a", ...withRule({ type: "apart", topologyKey: HOST, pods: own }) }), undefined);
  });
});
