import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { keyOf, type StoredObject } from "../model/meta.ts";
import { type Node, nodes } from "../model/node.ts";
import { type NodeDrain, nodeDrains } from "../model/node-drain.ts";
import type { NodeState, NodeStates } from "../model/node-state.ts";
import { type Pod, pods } from "../model/pod.ts";
import { testNode, testPod } from "../scheduling/test-objects.ts";
import { silentLog } from "../seams/log.ts";
import { ManualClock } from "../seams/manual-clock.ts";
import { SeededRandom } from "../seams/random.ts";
import type { Journal } from "../store/journal.ts";
import { Store } from "../store/store.ts";
import { listNodes } from "./node-rows.ts";
import { PodTally } from "./pod-tally.ts";

async function rowsOf(
  node: Node,
  more: readonly Pod[] = [],
  lifecycle?: NodeStates,
  drains: readonly NodeDrain[] = [],
  knocks: Pick<Parameters<typeof listNodes>[0], "untaken" | "isStranger"> = {},
) {
  const [clock, log] = [new ManualClock(), silentLog];
  const row = (kind: string, object: StoredObject) => ({ kind, key: keyOf(object), json: JSON.stringify(object) });
  const rows = [
    row(nodes.name, node),
    ...more.map((pod) => row(pods.name, pod)),
    ...drains.map((drain) => row(nodeDrains.name, drain)),
  ];
  const journal = {
    load: async () => ({ revision: 1, rows }),
    append: async () => {},
    close: async () => {},
  } as unknown as Journal;
  const store = await Store.open({
    kinds: [nodes, pods, nodeDrains],
    journal,
    clock,
    random: new SeededRandom("n"),
    log,
  });
  const tally = new PodTally({ store, clock, log });
  return listNodes({ store, clock, tally, ...knocks, ...(lifecycle ? { lifecycle } : {}) });
}

test("nodes: what is asked counts init containers as the scheduler does", async () => {
  const node = testNode({ name: "n1" }) as Node;
  const plain = testPod({ name: "a" }) as Pod;
  const init = { name: "first", image: "x", resources: { requests: { cpu: "3" } } };
  const main = { name: "main", image: "x", resources: { requests: { cpu: "1" } } };
  const pod: Pod = { ...plain, spec: { ...plain.spec, nodeName: "n1", containers: [main], initContainers: [init] } };
  const [row] = await rowsOf(node, [pod]);
  assert.equal(row?.cpuMillis.asked, 3000);
});

test("nodes: what does not work of a node's network is said, without words that name what lies in namespaces", async () => {
  const node = testNode({ name: "n1" }) as Node;
  const conditions = [
    ...node.status.conditions,
    {
      type: "NetworkUnavailable",
      status: "True",
      reason: "PodNetworkMissing",
      message: "docker network rm x",
    } as const,
    { type: "NetworkWorking", status: "False", reason: "PartFails", message: "policies: team-a/secret" } as const,
  ];
  const [row] = await rowsOf({ ...node, status: { ...node.status, conditions } });
  assert.deepEqual(row?.network, ["docker network rm x", "parts of it fail: styr network status"]);
});

describe("how a node fares:", () => {
  const states = (state: NodeState["state"], held: readonly string[] = []): NodeStates => ({
    stateOf: () => ({ state, sinceMs: 0, words: `it is ${state}` }),
    brake: held.length === 0 ? undefined : { sinceMs: 0, zones: "cluster", nodes: held, words: "" },
    releaseBrake: () => [],
  });
  const rowOf = async (node: Node, lifecycle?: NodeStates) => {
    const [row] = await rowsOf(node, [], lifecycle);
    assert.ok(row);
    return row;
  };
  const well = testNode({ name: "n1" }) as Node;
  const withConditions = (...conditions: Node["status"]["conditions"]): Node => ({
    ...well,
    status: { ...well.status, conditions },
  });

  test("its lease's word, in words and since when", async () => {
    const { state, since, reason } = await rowOf(well, states("suspect"));
    assert.deepEqual([state, since, reason], ["suspect", "1970-01-01T00:00:00Z", "it is suspect"]);
  });

  test("one whose agent knocks and is not let in: why", async () => {
    const addressed: Node = { ...well, status: { ...well.status, addresses: [{ type: "InternalIP", address: "a" }] } };
    const untaken = (name: string) => `certificate of node "${name}": by this server's clock …`;
    const reasonOf = async (state: NodeState["state"], knocks: Parameters<typeof rowsOf>[4]) =>
      (await rowsOf(addressed, [], states(state), [], knocks))[0]?.reason;
    const refused = 'its agent is there, and is not let in: certificate of node "n1": by this server\'s clock …';
    assert.equal(await reasonOf("unreachable", { untaken }), `it is unreachable; ${refused}`);
    assert.match(
      (await reasonOf("unreachable", { isStranger: () => true })) ?? "",
      /; somebody at its address.* clock /,
    );
    assert.equal(await reasonOf("unreachable", { isStranger: () => false }), "it is unreachable");
    assert.equal(await reasonOf("ready", { untaken }), undefined);
  });

  test("one that is heard and says itself that it is not ready is not ready", async () => {
    const node = withConditions({ type: "Ready", status: "False", message: "no disk" });
    const { state, reason } = await rowOf(node, states("ready"));
    assert.deepEqual([state, reason], ["not ready", "no disk"]);
  });

  test("without anybody who watches over it, what is stored", async () => {
    assert.equal((await rowOf(well)).state, "ready");
    assert.equal((await rowOf(withConditions())).state, "not ready");
  });

  test("how its drain fares, from the asking until it is uncordoned", async () => {
    for (const phase of ["draining", "blocked", "drained"] as const) {
      const drain: NodeDrain = {
        ...{ apiVersion: nodeDrains.apiVersion, kind: "NodeDrain", metadata: { ...well.metadata, name: "n1" } },
        ...{ spec: { by: "alice", force: false, atOnce: 5 }, status: { phase, startedAt: "", pods: [] } },
      };
      const [row] = await rowsOf({ ...well, spec: { unschedulable: true } }, [], undefined, [drain]);
      assert.deepEqual([row?.drain, row?.cordoned], [phase, true]);
    }
    assert.equal((await rowOf(well)).drain, undefined);
  });

  test("what it says of itself, and that the brake holds it", async () => {
    const ready = { type: "Ready", status: "True" } as const;
    const stalled = { type: "Healthy", status: "False", reason: "IOStalled", message: "slow" } as const;
    const row = await rowOf(withConditions(ready, stalled), states("ready", ["n1"]));
    assert.deepEqual([row.state, row.health, row.held], ["ready", { word: "IOStalled", message: "slow" }, true]);
  });
});
