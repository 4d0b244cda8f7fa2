import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { silentLog } from "../../seams/log.ts";
import { ManualClock } from "../../seams/manual-clock.ts";
import { Lane } from "./lane.ts";
import type { NetworkPart } from "./network-part.ts";
import { NetworkState } from "./network-state.ts";
import { Touched } from "./touched.ts";

function laneOf() {
  const clock = new ManualClock();
  const seen: string[] = [];
  const part = {
    name: "services",
    problem: "",
    takesMs: 0,
    async apply(_state: NetworkState, touched: Touched) {
      seen.push(touched.isAll ? "everything" : [...touched.services].sort().join(","));
      if (this.takesMs > 0) await clock.sleep(this.takesMs);
      if (this.problem !== "") throw new Error(this.problem);
    },
    stop: () => Promise.resolve(),
    remove: () => Promise.resolve(),
    report: () => ({ state: "working" as const }),
  } satisfies NetworkPart & { problem: string; takesMs: number };
  const lane = new Lane({ part, state: new NetworkState("n1"), clock, log: silentLog, onDone: () => {} });
  const note = (service: string, revision: number) => {
    const touched = new Touched();
    touched.services.add(service);
    lane.note(touched, revision);
  };
  return { clock, seen, part, lane, note };
}

describe("a part's way through the news", () => {
  test("what comes while it is at work is looked at together, once", async () => {
    const { clock, seen, part, lane, note } = laneOf();
    part.takesMs = 100;
    note("a", 1);
    note("b", 2);
    note("c", 3);
    await clock.advance(50);
    assert.equal(lane.revision, 0);
    await clock.advance(60);
    assert.deepEqual(seen, ["a", "b,c"]);
    assert.equal(lane.revision, 1);
    await clock.advance(100);
    assert.equal(lane.revision, 3);
  });

  test("what it failed at is tried again with what came since, later each time; it counts as seen meanwhile", async () => {
    const { clock, seen, part, lane, note } = laneOf();
    part.problem = "there is no nft on this host";
    note("a", 1);
    await clock.settle();
    assert.equal(lane.revision, 1);
    assert.equal(lane.problem, "there is no nft on this host");
    note("b", 2);
    await clock.settle();
    assert.equal(lane.revision, 2, "nobody waits for what cannot be done now");
    await clock.advance(250);
    assert.deepEqual(seen, ["a", "a,b"]);
    await clock.advance(300);
    assert.equal(seen.length, 2);
    part.problem = "";
    await clock.advance(200);
    assert.deepEqual(seen, ["a", "a,b", "a,b"]);
    assert.equal(lane.problem, "");
  });

  test("who waits for it hears when it is in force, and in words when it fails", async () => {
    const { clock, part, lane, note } = laneOf();
    part.takesMs = 100;
    note("a", 1);
    const first = lane.settled();
    await clock.advance(110);
    await first;
    part.problem = "no room";
    note("b", 2);
    const second = assert.rejects(lane.settled(), /services: no room/);
    await clock.advance(110);
    await second;
    await assert.rejects(lane.settled(), /no room/);
    part.problem = "";
    await clock.advance(1_000);
    await lane.settled();
  });

  test("after its end nothing is applied any more", async () => {
    const { clock, seen, part, lane, note } = laneOf();
    part.problem = "no";
    note("a", 1);
    await clock.settle();
    await lane.stop();
    note("b", 2);
    await clock.advance(60_000);
    assert.deepEqual(seen, ["a"]);
  });
});
