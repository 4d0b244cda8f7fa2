import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { ObservedRun } from "../drivers/driver.ts";
import type { Pod } from "../model/pod.ts";
import { noteEnd } from "./restart-rules.ts";
import { NEW_CONTAINER } from "./seen.ts";

const NOW = { monoMs: 1_000_000, wallMs: Date.UTC(2026, 0, 1) };

const pod = (restartBackoff?: Pod["spec"]["restartBackoff"]): Pod => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: {
    name: "p",
    namespace: "default",
    uid: "u",
    resourceVersion: "1",
    generation: 1,
    creationTimestamp: "2026-01-01T00:00:00Z",
  },
  spec: { containers: [{ name: "main", image: "busybox" }], ...(restartBackoff ? { restartBackoff } : {}) },
  status: { phase: "Running" },
});

/** A run that ended `agoMs` before it was noticed, after `ranMs`. */
function ended(agoMs: number, ranMs = 1000): ObservedRun {
  const finishedAtMs = NOW.wallMs - agoMs;
  return {
    ref: { podUid: "u", container: "main", attempt: 0 },
    driver: "docker",
    id: "docker://x",
    state: "exited",
    exitCode: 1,
    startedAtMs: finishedAtMs - ranMs,
    finishedAtMs,
  };
}

describe("when an ended container may start again", () => {
  const crashed = (crashes: number) => ({ ...NEW_CONTAINER, crashes });
  const waitMs = (before: typeof NEW_CONTAINER, run: ObservedRun, own?: Pod["spec"]["restartBackoff"]) =>
    noteEnd(pod(own), before, run, NOW).retryAtMs - NOW.monoMs;

  test("at once after the first crash, then 10 s, 20 s and so on to five minutes after the end", () => {
    const waits = [0, 1, 2, 3, 4, 5, 6, 7].map((crashes) => waitMs(crashed(crashes), ended(0)));
    assert.deepEqual(waits, [0, 10_000, 20_000, 40_000, 80_000, 160_000, 300_000, 300_000]);
  });

  test("the wait counts from the end itself, however late somebody notices it", () => {
    assert.equal(waitMs(crashed(1), ended(7000)), 3000);
    assert.equal(waitMs(crashed(2), ended(60_000)), -40_000, "it has waited long enough already");
    const own = { initialMs: 30_000, factor: 2, maxMs: 60_000 };
    assert.equal(waitMs(crashed(0), ended(12_000), own), 18_000);
  });

  test("an end from the future, by a clock that was put back, is taken as one of now", () => {
    assert.equal(waitMs(crashed(1), ended(-3_600_000)), 10_000);
  });

  test("a run of ten minutes forgives the crashes before it", () => {
    assert.equal(noteEnd(pod(), crashed(5), ended(0, 600_000), NOW).crashes, 1);
    assert.equal(noteEnd(pod(), crashed(5), ended(0, 599_000), NOW).crashes, 6);
  });
});
