import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { DrainedPod, NodeDrain, NodeDrainStatus } from "../model/node-drain.ts";
import type { Pod } from "../model/pod.ts";
import type { Reader } from "../store/transaction.ts";
import { drainSentences, drainTroubles } from "./drain-sentences.ts";

const NOW = Date.parse("2026-01-01T00:00:10Z");
const DEADLINE = "2026-01-01T00:10:00Z";

function drainOf(
  states: readonly DrainedPod["state"][],
  more: { readonly phase?: NodeDrainStatus["phase"]; readonly deadline?: string; readonly note?: string } = {},
): NodeDrain {
  const { phase = "draining", deadline, note } = more;
  const rows = states.map((state, n) => ({ key: `default/p${n}`, uid: `u${n}`, state, reason: `reason ${n}` }));
  return {
    metadata: { name: "n1" },
    spec: { by: "alice", force: false, atOnce: 5, ...(deadline === undefined ? {} : { deadline }) },
    status: { phase, startedAt: "2026-01-01T00:00:00Z", pods: rows, ...(note === undefined ? {} : { note }) },
  } as unknown as NodeDrain;
}

describe("a drain that is under way:", () => {
  test("is told of in styr status, with when it ends", () => {
    const told = (drain: NodeDrain) => drainTroubles([drain], NOW).join();
    assert.equal(told(drainOf(["moved", "waiting", "stays"])), "n1: draining 1/2 (more: styr drain n1)");
    assert.equal(
      told(drainOf(["stuck", "deleted", "stuck"], { phase: "blocked", deadline: DEADLINE })),
      "n1: draining 1/3, blocked, what is left is stopped in 9m50s (more: styr drain n1)",
    );
    assert.equal(
      told(drainOf(["waiting"], { note: "n1 is silent" })),
      "n1: draining 0/1, n1 is silent (more: styr drain n1)",
    );
    assert.equal(told(drainOf(["moved"], { phase: "drained", deadline: DEADLINE })), "");
  });

  test("is told of in styr why of each pod that it concerns", () => {
    const told = (drain: NodeDrain, uid: string, deletionTimestamp?: string) => {
      const pod = { metadata: { uid, deletionTimestamp }, spec: { nodeName: "n1" } } as unknown as Pod;
      return drainSentences({ get: () => drain } as unknown as Reader, pod).join();
    };
    const drain = drainOf(["waiting", "stays"], { deadline: DEADLINE });
    assert.equal(
      told(drain, "u0"),
      `n1 is being drained, so it is to move elsewhere: reason 0; if it has not moved by ${DEADLINE} it is stopped anyway`,
    );
    assert.equal(told(drain, "u1"), "n1 is being drained; it stays: reason 1");
    assert.equal(told(drain, "another"), "");
    assert.equal(told(drain, "u0", DEADLINE), "", "it has been asked to go");
    assert.equal(told(drainOf(["moved"], { phase: "drained" }), "u0"), "");
  });
});
