import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { WaitingRoom } from "./waiting-room.ts";

function fill(room: WaitingRoom, client: string): number {
  let held = 0;
  while (room.enter(client)) held++;
  return held;
}

describe("places for questions that wait for others' answers:", () => {
  test("one client has a hundred at most, and has them again when they are answered", () => {
    const room = new WaitingRoom();
    assert.equal(fill(room, "a"), 100);
    for (let n = 0; n < 100; n++) room.leave("a");
    assert.equal(fill(room, "a"), 100);
  });

  for (const greedy of [10, 50, 250])
    test(`${greedy} clients that ask without end leave places for the one that comes next`, () => {
      const room = new WaitingRoom();
      for (let n = 0; n < greedy; n++) fill(room, `greedy ${n}`);
      assert.ok(fill(room, "next") >= 4);
    });

  test("who leaves twice takes nobody's place away", () => {
    const room = new WaitingRoom();
    room.enter("a");
    for (let n = 0; n < 5; n++) room.leave("a");
    assert.equal(fill(room, "a"), 100);
  });
});
