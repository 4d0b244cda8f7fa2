import assert from "node:assert/strict";
import { test } from "node:test";
import { ManualClock } from "../../seams/manual-clock.ts";
import { Calls } from "./calls.ts";

/** A process that stands still: its clock goes on, its timers do not come, and nothing is read. */
class FrozenClock extends ManualClock {
  stoodMs = 0;

  override monotonic(): number {
    return super.monotonic() + this.stoodMs;
  }
}

function stage() {
  const clock = new FrozenClock();
  const said: string[] = [];
  const calls = new Calls(clock, "s", (frame) => said.push(frame));
  const outcome = { words: "" };
  const answer = calls.begin('{"method":"values"}').answer;
  void answer.then(
    () => (outcome.words = "answered"),
    (error: Error) => (outcome.words = error.message),
  );
  return { clock, said, calls, outcome };
}

test("a call that is not answered is over after 10 s, and was said again until then", async () => {
  const { clock, said, outcome } = stage();
  await clock.advance(9_900);
  assert.equal(outcome.words, "");
  assert.equal(said.length, 4, "at once, after 1, 3 and 7 s");
  await clock.advance(600);
  assert.match(outcome.words, /did not answer within 10 s/);
});

test("time that this process stood still is nobody's silence: the answer that waits to be read is taken", async () => {
  const { clock, calls, outcome } = stage();
  await clock.advance(1_600);
  clock.stoodMs = 15_000;
  await clock.advance(1_000);
  assert.equal(outcome.words, "");
  calls.answered({ type: "done", id: 1, result: undefined });
  await clock.advance(0);
  assert.equal(outcome.words, "answered");
});

test("a call that nobody answers is over also after a stop, by the time that was listened", async () => {
  const { clock, outcome } = stage();
  await clock.advance(1_600);
  clock.stoodMs = 15_000;
  await clock.advance(7_500);
  assert.equal(outcome.words, "");
  await clock.advance(2_000);
  assert.match(outcome.words, /did not answer within 10 s/);
});
