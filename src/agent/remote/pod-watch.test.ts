import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Pod } from "../../model/pod.ts";
import { silentLog } from "../../seams/log.ts";
import { ManualClock } from "../../seams/manual-clock.ts";
import type { PodsFrame } from "../frames/to-agent.ts";
import { parseToDispatcher } from "../frames/to-dispatcher.ts";
import { Calls } from "./calls.ts";
import { podWatch } from "./pod-watch.ts";

function watching() {
  const clock = new ManualClock();
  const asked: number[] = [];
  const names: string[] = [];
  const send = (text: string) => {
    const frame = parseToDispatcher(text);
    if (frame.type === "got" && frame.isBehind) asked.push(clock.monotonic());
  };
  const calls = new Calls(clock, "s", () => {});
  const options = { node: "n1", session: "s", clock, log: silentLog, calls, send, isOpen: () => true };
  const watch = podWatch({ ...options, newStream: () => 1 }, ({ pods }) =>
    names.push(...pods.map(({ metadata }) => metadata.name)),
  );
  watch.open();
  const frame = (sequence: number): PodsFrame => {
    const pod = { metadata: { name: `p${sequence}` } } as Pod;
    return { type: "pods", stream: 1, sequence, part: "changed", pods: [pod], removed: [], size: 100 };
  };
  return { clock, asked, names, watch, take: (sequence: number) => watch.frame(frame(sequence)) };
}

describe("a watch of pods that misses something", () => {
  test("waits a moment, as it may only be late", async () => {
    const { clock, asked, names, watch, take } = watching();
    take(2);
    await clock.advance(200);
    take(1);
    await clock.advance(5_000);
    assert.deepEqual(asked, []);
    assert.deepEqual(names, ["p1", "p2"]);
    watch.end();
  });

  test("asks for it again and again until it comes: what was asked may be lost as well", async () => {
    const { clock, asked, watch, take } = watching();
    take(2);
    await clock.advance(3_000);
    assert.deepEqual(asked, [300, 1_300, 2_300]);
    take(1);
    await clock.advance(5_000);
    assert.equal(asked.length, 3);
    watch.end();
  });

  test("asks once a second, however much comes meanwhile: each time everything is sent anew", async () => {
    const { clock, asked, watch, take } = watching();
    for (let sequence = 2; sequence < 32; sequence++) {
      take(sequence);
      await clock.advance(100);
    }
    assert.deepEqual(asked, [300, 1_300, 2_300]);
    watch.end();
  });
});
