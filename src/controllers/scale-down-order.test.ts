import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Pod } from "../model/pod.ts";
import { scaleDownOrder } from "./scale-down-order.ts";

const NOW = Date.parse("2026-01-01T12:00:00Z");
const at = (secondsAgo: number) => new Date(NOW - secondsAgo * 1000).toISOString();

interface Shape {
  readonly node?: string;
  readonly phase?: Pod["status"]["phase"];
  readonly readyFor?: number;
  readonly cost?: number;
  readonly restarts?: number;
  readonly age?: number;
  /** It was lost with its node and came back with it. */
  readonly returned?: boolean;
}

function pod(
  name: string,
  { node, phase = "Running", readyFor, cost, restarts, age = 1000, returned = false }: Shape,
): Pod {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name,
      namespace: "default",
      uid: name,
      resourceVersion: "1",
      generation: 1,
      creationTimestamp: at(age),
      ...(cost === undefined ? {} : { annotations: { "controller.kubernetes.io/pod-deletion-cost": String(cost) } }),
    },
    spec: { containers: [], ...(node === undefined ? {} : { nodeName: node }) },
    status: {
      phase,
      conditions: [
        ...(readyFor === undefined
          ? []
          : [{ type: "Ready", status: "True" as const, lastTransitionTime: at(readyFor) }]),
        ...(returned ? [{ type: "DisruptionTarget", status: "False" as const, reason: "NodeReturned" }] : []),
      ],
      ...(restarts === undefined
        ? {}
        : {
            containerStatuses: [{ name: "c", state: {}, ready: true, restartCount: restarts, image: "", imageID: "" }],
          }),
    },
  };
}

const READY: Shape = { node: "n1", readyFor: 100 };

describe("scale-down order: which of two goes first", () => {
  for (const [why, goes, stays] of [
    ["one without a node", { ...READY, node: undefined }, READY],
    ["pending before running", { node: "n1", phase: "Pending" }, { node: "n1" }],
    ["unknown before running", { node: "n1", phase: "Unknown" }, { node: "n1" }],
    ["pending before unknown", { node: "n1", phase: "Pending" }, { node: "n1", phase: "Unknown" }],
    ["not ready before ready", { node: "n1" }, READY],
    ["the lower deletion cost", { ...READY, cost: -5 }, { ...READY, cost: 3 }],
    ["newer ready, when by a power of two", { ...READY, readyFor: 10 }, { ...READY, readyFor: 100 }],
    ["more restarts", { ...READY, restarts: 4 }, { ...READY, restarts: 1 }],
    [
      "one that came back with its node, older as it is",
      { ...READY, returned: true, age: 5000 },
      { ...READY, age: 10 },
    ],
    ["one that came back, whatever its deletion cost", { ...READY, returned: true, cost: 9 }, { ...READY, cost: -9 }],
    ["not ready before one that came back", { node: "n1" }, { ...READY, returned: true }],
    ["of two that came back the older", { ...READY, returned: true, age: 5000 }, { ...READY, returned: true, age: 10 }],
    ["the newer one", { ...READY, age: 10 }, { ...READY, age: 5000 }],
  ] as const) {
    test(why, () => {
      const shapes = [stays, goes].map(({ node, ...rest }) => ({ ...rest, ...(node ? { node } : {}) }) as Shape);
      const [first] = scaleDownOrder([pod("a-stays", shapes[0] ?? {}), pod("b-goes", shapes[1] ?? {})], NOW);
      assert.equal(first?.metadata.name, "b-goes");
    });
  }

  test("the node that has most copies gives one up first", () => {
    const order = scaleDownOrder(
      [pod("a", { ...READY, node: "n1" }), pod("b", { ...READY, node: "n2" }), pod("c", { ...READY, node: "n2" })],
      NOW,
    );
    assert.deepEqual(
      order.map(({ metadata }) => metadata.name),
      ["b", "c", "a"],
    );
  });

  test("equals go by name, whatever order they come in", () => {
    const same = ["c", "a", "b"].map((name) => pod(name, READY));
    assert.deepEqual(
      scaleDownOrder(same, NOW).map(({ metadata }) => metadata.name),
      ["a", "b", "c"],
    );
  });
});
