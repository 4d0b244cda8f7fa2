import assert from "node:assert/strict";
import { test } from "node:test";
import { ManualClock } from "../seams/manual-clock.ts";
import { Turnstile } from "./turnstile.ts";

const LARGE = 600 * 1024;

test("who comes while much goes out waits for a turn of the event loop, in the order of coming", async () => {
  const clock = new ManualClock();
  const turnstile = new Turnstile(clock);
  const sent: string[] = [];
  const ask = (name: string, who: object) => {
    if (turnstile.pass(who, LARGE, () => ask(name, who))) sent.push(name);
  };
  const gone = {};
  for (const name of ["a", "b", "c", "d"]) ask(name, {});
  ask("gone", gone);
  ask("e", {});
  turnstile.forget(gone);
  assert.deepEqual(sent, ["a", "b"]);
  await clock.advance(0);
  assert.deepEqual(sent, ["a", "b", "c", "d", "e"]);
  turnstile.stop();
});

test("one that waits is asked once, however often it tried", async () => {
  const clock = new ManualClock();
  const turnstile = new Turnstile(clock);
  for (let at = 0; at < 2; at++) assert.ok(turnstile.pass({}, LARGE, () => {}));
  let asked = 0;
  const who = {};
  for (let at = 0; at < 5; at++) assert.ok(!turnstile.pass(who, LARGE, () => void asked++));
  await clock.advance(0);
  assert.equal(asked, 1);
  turnstile.stop();
});
