import assert from "node:assert/strict";
import { test } from "node:test";
import { withMembers } from "./with-members.ts";

class Door {
  #opened = 0;
  optional?: () => string;
  open(): number {
    return ++this.#opened;
  }
  get times(): number {
    return this.#opened;
  }
  close(): string {
    return "closed";
  }
}

test("members given win, all others act on the target, private fields and getters included, and absent ones stay absent", () => {
  const door = new Door();
  const quiet = withMembers(door, { close: () => "softly" });
  quiet.open();
  quiet.open();
  assert.equal(door.times, 2);
  assert.equal(quiet.times, 2);
  assert.equal(quiet.close(), "softly");
  assert.equal(door.close(), "closed");
  assert.equal(quiet.optional, undefined);
});
