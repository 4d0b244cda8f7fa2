import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { DISPATCHER_PATIENCE_MS, KEEP_ALIVE_MS } from "../agent/frames/limits.ts";
import { ManualClock } from "../seams/manual-clock.ts";
import type { AgentLink } from "./agent-link.ts";
import { LinkTurns } from "./link-turns.ts";

/** What is looked at of a link, and nothing else. */
function linkOf(order: number, heardAtMs: number, use: AgentLink["use"] = "session"): AgentLink {
  return { node: `n${order}`, order, heardAtMs, use } as AgentLink;
}

function made() {
  const clock = new ManualClock();
  const seen: string[] = [];
  const turns: LinkTurns = new LinkTurns({
    clock,
    close: (agent, why) => {
      seen.push(`${agent.node}: ${why}`);
      turns.remove(agent);
    },
    sign: (agent) => void seen.push(agent.node),
    roundOver: () => void seen.push("round"),
    isNeeded: () => false,
  });
  return { clock, seen, turns };
}

describe("links", () => {
  test("with a session are given one sign each in a round, not all in one moment; those of heartbeats none", async () => {
    const { clock, seen, turns } = made();
    for (const order of [1, 2, 11]) turns.add(linkOf(order, clock.monotonic()));
    turns.add(linkOf(3, clock.monotonic(), "beats"));
    await clock.advance(KEEP_ALIVE_MS / 10);
    assert.deepEqual(seen, ["n1", "n11"]);
    await clock.advance((KEEP_ALIVE_MS * 9) / 10);
    assert.deepEqual(seen, ["n1", "n11", "n2", "round"]);
    turns.stop("over");
  });

  test("that say nothing for too long are closed; without any nothing is looked after", async () => {
    const { clock, seen, turns } = made();
    turns.add(linkOf(1, clock.monotonic() - DISPATCHER_PATIENCE_MS));
    await clock.advance(KEEP_ALIVE_MS / 10);
    assert.deepEqual(seen, ["n1: nothing was heard for too long"]);
    await clock.advance(10 * KEEP_ALIVE_MS);
    assert.equal(seen.length, 1, "not even a round is over");
  });

  test("are all closed at the end", () => {
    const { clock, seen, turns } = made();
    for (const order of [1, 2]) turns.add(linkOf(order, clock.monotonic()));
    turns.stop("over");
    assert.deepEqual(seen.sort(), ["n1: over", "n2: over"]);
  });
});
