import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { MOST_UNLISTED_NAMED } from "../../model/restoration.ts";
import { checkNode } from "./check-node.ts";
import { FrameError } from "./shape.ts";

const node = (unlisted: unknown) => ({
  metadata: { name: "n1" },
  spec: {},
  status: {
    ...{ capacity: {}, allocatable: {}, conditions: [], addresses: [], drivers: {}, dynamicPorts: [1, 2] },
    nodeInfo: { machineID: "m" },
    unlisted,
  },
});
const pod = { key: "default/a", uid: "u", since: "2026-01-01T00:00:00Z" };
const report = (more: object) => node({ kept: 1, keptPods: [pod], waiting: 1, waitingPods: ["default/b"], ...more });

describe("what a node says of pods that a restored store does not know", () => {
  test("is taken as the model has it", () => {
    checkNode(node(undefined));
    checkNode(report({}));
    checkNode(report({ keptPods: [{ uid: "u" }] }));
    checkNode(report({ network: [{ kind: "NetworkPolicy", count: 1, names: ["shop/late"] }] }));
  });

  test("is refused when it is anything else, or more than is shown", () => {
    const many = Array.from({ length: MOST_UNLISTED_NAMED + 1 }, () => pod);
    const wrong: readonly (readonly [why: string, value: unknown])[] = [
      ["no report", node("many")],
      ["no number", report({ kept: "3" })],
      ["no list", report({ keptPods: {} })],
      ["a pod without a uid", report({ keptPods: [{ key: "default/a" }] })],
      ["a time that is none", report({ keptPods: [{ ...pod, since: "yesterday" }] })],
      ["a name without end", report({ waitingPods: ["x".repeat(10_000)] })],
      ["too many", report({ keptPods: many })],
      ["a kind that is none", report({ network: [{ kind: "Pod", count: 1, names: [] }] })],
      ["too many of a kind", report({ network: [{ kind: "node", count: 99, names: many.map(({ uid }) => uid) }] })],
    ];
    for (const [why, value] of wrong) assert.throws(() => checkNode(value), FrameError, why);
  });
});

test("a node has a few addresses, of kinds that there are", () => {
  const told = (addresses: readonly object[]) => ({
    ...node(undefined),
    status: { ...node(undefined).status, addresses },
  });
  const inside = { type: "InternalIP", address: "192.0.2.1" };
  checkNode(told([inside, { type: "Hostname", address: "n1" }]));
  assert.throws(() => checkNode(told(Array.from({ length: 17 }, () => inside))), FrameError);
  assert.throws(() => checkNode(told([{ ...inside, type: "AnyIP" }])), FrameError);
});

test("a node says at which two ports it is a way in", () => {
  const told = (wayInPorts: unknown) => {
    const { status, ...rest } = node(undefined);
    return { ...rest, status: { ...status, network: { isWayIn: true, wayInPorts } } };
  };
  for (const fine of [undefined, [80, 443], [8080, 65_535]]) checkNode(told(fine));
  for (const wrong of [[], [80], [80, 443, 8080], [0, 443], [80, 65_536], ["80", "443"], 80])
    assert.throws(() => checkNode(told(wrong)), FrameError, JSON.stringify(wrong));
});
