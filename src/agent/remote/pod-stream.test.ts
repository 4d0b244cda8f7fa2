import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Pod } from "../../model/pod.ts";
import type { Assignments } from "../control.ts";
import type { PodsFrame, PodsPart } from "../frames/to-agent.ts";
import { podStream } from "./pod-stream.ts";

function frameOf(sequence: number, part: PodsPart = "changed", size = 100): PodsFrame {
  const pod = { metadata: { name: `p${sequence}` } } as Pod;
  return { type: "pods", stream: 1, sequence, part, pods: [pod], removed: [], size };
}

function stream() {
  const taken: Assignments[] = [];
  const names = () => taken.map(({ pods }) => pods.map(({ metadata }) => metadata.name).join("+"));
  return { stream: podStream(1, (assignments) => taken.push(assignments)), taken, names };
}

test("frames in any order, some of them twice, are handed on once each and in their order", () => {
  const order = fc
    .tuple(fc.integer({ min: 1, max: 20 }), fc.infiniteStream(fc.nat()))
    .map(([length, chances]) => {
      const all = Array.from({ length }, (_, at) => at + 1);
      const some = all.filter(() => (chances.next().value ?? 0) % 2 === 0);
      return [...all, ...some].map((sequence) => ({ sequence, at: chances.next().value ?? 0 }));
    })
    .map((entries) => entries.toSorted((a, b) => a.at - b.at).map(({ sequence }) => sequence));
  fc.assert(
    fc.property(order, (sequences) => {
      const { stream: one, names } = stream();
      for (const sequence of sequences) one.frame(frameOf(sequence));
      assert.deepEqual(
        names(),
        [...new Set(sequences)].toSorted((a, b) => a - b).map((sequence) => `p${sequence}`),
      );
      assert.equal(one.isBehind, false);
    }),
  );
});

test("nothing is handed on before what comes earlier, and that it is missing is known", () => {
  const { stream: one, names } = stream();
  one.frame(frameOf(1));
  one.frame(frameOf(3));
  assert.deepEqual(names(), ["p1"]);
  assert.equal(one.isBehind, true);
  one.frame(frameOf(2));
  assert.deepEqual(names(), ["p1", "p2", "p3"]);
  assert.equal(one.isBehind, false);
});

test("a lost end is known from the other side's sign of life", () => {
  const { stream: one } = stream();
  one.frame(frameOf(1));
  one.sign(2, 1);
  assert.equal(one.isBehind, true);
});

test("an acknowledgement that the other side has not got is said again", () => {
  const { stream: one } = stream();
  for (let sequence = 1; sequence <= 4; sequence++) one.frame(frameOf(sequence));
  one.noteAcknowledged();
  assert.equal(one.sign(4, 0), "got");
  assert.equal(one.sign(4, 4), "nothing");
});

test("every fourth frame, and each large one, is acknowledged", () => {
  const { stream: one } = stream();
  const replies = [1, 2, 3, 4].map((sequence) => one.frame(frameOf(sequence)));
  assert.deepEqual(replies, ["nothing", "nothing", "nothing", "got"]);
  one.noteAcknowledged();
  assert.equal(one.frame(frameOf(5, "changed", 20_000)), "got");
});

test("the parts of everything come together as one batch", () => {
  const { stream: one, taken, names } = stream();
  one.frame(frameOf(1, "more"));
  one.frame(frameOf(3, "all"));
  one.frame(frameOf(2, "more"));
  assert.deepEqual(names(), ["p1+p2+p3"]);
  assert.equal(taken[0]?.type, "all");
});
