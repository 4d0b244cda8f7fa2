import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { events } from "../model/event.ts";
import { type Node, nodes } from "../model/node.ts";
import { nodeDrains } from "../model/node-drain.ts";
import type { NodeStates } from "../model/node-state.ts";
import { pods } from "../model/pod.ts";
import { restorations } from "../model/restoration.ts";
import { testNode } from "../scheduling/test-objects.ts";
import { silentLog } from "../seams/log.ts";
import { ManualClock } from "../seams/manual-clock.ts";
import { SeededRandom } from "../seams/random.ts";
import { MemoryJournal } from "../store/journals/memory.ts";
import { Store } from "../store/store.ts";
import type { StyrApiContext } from "./context.ts";
import { PodTally } from "./pod-tally.ts";
import { statusReport } from "./status.ts";

async function reportWith(more: Partial<StyrApiContext>) {
  const [clock, log] = [new ManualClock(), silentLog];
  const kinds = [nodes, pods, nodeDrains, events, restorations];
  const journal = new MemoryJournal();
  const store = await Store.open({ kinds, journal, clock, random: new SeededRandom("status"), log });
  for (const name of ["n1", "n2", "n3"]) await store.update((tx) => tx.create(nodes, testNode({ name }) as Node));
  const context = { store, clock, log, kinds, sources: [], dialects: [], version: "1", hostname: "a", startedAtMs: 0 };
  const whole = { ...context, ...more } as unknown as StyrApiContext;
  return statusReport(whole, new PodTally({ store, clock, log }));
}

describe("the status of a cluster", () => {
  test("a suspect node is not counted among those that are ready", async () => {
    const lifecycle: NodeStates = {
      stateOf: (name) => ({ state: name === "n2" ? "suspect" : "ready", sinceMs: 0, words: "2 beats are missing" }),
      brake: undefined,
      releaseBrake: () => [],
    };
    const report = await reportWith({ lifecycle });
    assert.deepEqual([report.nodes.ready, report.nodes.states], [2, { ready: 2, suspect: 1 }]);
  });

  test("while no server leads nothing is said of how nodes fare, and of the store which members do not answer", async () => {
    const { nodes, store } = await reportWith({
      isLed: () => false,
      storeTrouble: async () => "1 of 3 members of etcd answers",
    });
    assert.deepEqual([nodes.ready, nodes.total, nodes.states], [0, 3, { unknown: 3 }]);
    assert.deepEqual([store.refusal, store.trouble], ["no server leads at present", "1 of 3 members of etcd answers"]);
  });
});
