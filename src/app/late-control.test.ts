import assert from "node:assert/strict";
import { test } from "node:test";
import { LinkError } from "../seams/link.ts";
import { LateControl } from "./late-control.ts";

test("before there is a control plane, heartbeats are refused as where no program runs, and reports fail", async () => {
  const control = new LateControl();
  const beat = control.heartbeat({ node: "n", bootId: "b", session: "s", sequence: 1, health: "ok" });
  await assert.rejects(beat, (error) => error instanceof LinkError && error.refused);
  await assert.rejects(control.report([], []), /cannot be opened/);
});
