import assert from "node:assert/strict";
import { test } from "node:test";
import type { Workload } from "../../model/workload.ts";
import { targetLine } from "./progress.ts";

const ROW: Workload = {
  dialect: "kubernetes",
  kind: "ReplicationController",
  name: "web",
  desired: 3,
  ready: 3,
  status: "running",
  nodes: ["vm"],
  since: "2024-05-01T10:00:00Z",
  what: "busybox",
  urls: [],
  pods: [],
  canScale: true,
  object: { kind: "ReplicationController", key: "default/web" },
};

test("progress says what is to stop, and no node of what has no place", () => {
  const line = (more: Partial<Workload>) =>
    targetLine(
      { target: { dialect: "kubernetes", name: "web" }, row: { ...ROW, ...more }, verdict: "waiting" },
      "running",
    );
  assert.equal(line({}), "web: running 3/3 on vm");
  assert.equal(line({ desired: 0, ready: 5 }), "web: stopping 5 of 5");
  assert.equal(line({ desired: 2, ready: 5 }), "web: stopping 3 of 5");
  assert.equal(line({ status: "unplaced", ready: 0, error: "no room" }), "web: unplaced 0/3: no room");
});
