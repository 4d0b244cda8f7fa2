import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { silentLog } from "../../seams/log.ts";
import { ManualClock } from "../../seams/manual-clock.ts";
import { Looks } from "./looks.ts";

/** `look` waits until `end` lets the last one end. */
function made() {
  const clock = new ManualClock();
  const begun: string[] = [];
  const ends: (() => void)[] = [];
  const asked = { times: 0 };
  const stopping = new AbortController();
  const look = (name: string) => {
    begun.push(name);
    if (name === "broken") return Promise.reject(new Error("the disk is full"));
    return new Promise<void>((resolve) => ends.push(resolve));
  };
  const goOn = () => void asked.times++;
  const looks = new Looks({ clock, log: silentLog, signal: stopping.signal, look, goOn });
  return { clock, stopping, looks, begun, asked, end: () => ends.pop()?.() };
}

describe("looks", () => {
  test("a name that is touched often is looked at once, names in their order", () => {
    const { looks, begun, asked } = made();
    for (const name of ["b", "a", "b"]) looks.touch(name);
    assert.equal(asked.times, 3);
    looks.run();
    looks.run();
    assert.deepEqual(begun, ["a", "b"]);
  });

  test("what is touched while it is being written is looked at again afterwards, not beside", async () => {
    const { clock, looks, begun, asked, end } = made();
    looks.mark("a");
    looks.run();
    looks.mark("a");
    looks.run();
    assert.deepEqual(begun, ["a"]);
    assert.equal(asked.times, 0);
    end();
    await clock.settle();
    assert.equal(asked.times, 1);
    looks.run();
    assert.deepEqual(begun, ["a", "a"]);
  });

  test("what could not be written is tried again a second later", async () => {
    const { clock, looks, begun } = made();
    looks.mark("broken");
    looks.run();
    await clock.settle();
    assert.equal(looks.nextMs, clock.monotonic() + 1_000);
    looks.takeDue(clock.monotonic() + 1_000);
    looks.run();
    assert.deepEqual(begun, ["broken", "broken"]);
  });

  test("after the end nothing is tried again", async () => {
    const { clock, stopping, looks } = made();
    looks.mark("broken");
    looks.run();
    stopping.abort();
    await clock.settle();
    assert.equal(looks.nextMs, undefined);
  });

  test("what is for later waits for its time", () => {
    const { looks, begun } = made();
    looks.later("a", 500);
    looks.takeDue(499);
    looks.run();
    assert.deepEqual(begun, []);
    looks.takeDue(500);
    looks.run();
    assert.deepEqual(begun, ["a"]);
  });
});
