import assert from "node:assert/strict";
import { test } from "node:test";
import { MessageChannel } from "node:worker_threads";
import type { Heartbeat, HeartbeatAnswer } from "../../model/heartbeat.ts";
import { LinkError } from "../../seams/link.ts";
import { AgentPort } from "./agent-port.ts";
import type { ToThread } from "./thread-messages.ts";

const YES: HeartbeatAnswer = { renewed: true, known: true, terms: { heartbeatMs: 1_000 } };
const beat = (sequence: number): Heartbeat => ({ node: "n1", bootId: "b", session: "s", sequence, health: "ok" });

test("an agent that does not move keeps no more than a minute of heartbeats waiting; the oldest are given up", async () => {
  const { port1, port2 } = new MessageChannel();
  try {
    const port = new AgentPort(port1);
    const ends = Array.from({ length: 100 }, (_, at) =>
      port.send(beat(at + 1)).then(
        () => "answered",
        (error: unknown) => (error instanceof LinkError && !error.refused ? "silence" : String(error)),
      ),
    );
    assert.deepEqual(new Set(await Promise.all(ends.slice(0, 40))), new Set(["silence"]));
    for (let id = 1; id <= 100; id++) port2.postMessage({ type: "answer", id, answer: YES } satisfies ToThread);
    assert.deepEqual(new Set(await Promise.all(ends.slice(40))), new Set(["answered"]));
  } finally {
    port1.close();
  }
});
