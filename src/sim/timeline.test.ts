import assert from "node:assert/strict";
import { test } from "node:test";
import type { StoredObject } from "../model/meta.ts";
import { type Pod, pods } from "../model/pod.ts";
import type { Change } from "../store/transaction.ts";
import { wordsOf } from "./describe-change.ts";
import { runSeed } from "./swarm/run-seed.ts";
import { Summary } from "./swarm/summary.ts";

const POD: Pod = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { namespace: "default", name: "web", uid: "u1", resourceVersion: "6", creationTimestamp: "" },
  spec: { containers: [{ name: "web", image: "fake/run" }], nodeName: "a" },
  status: { phase: "Running", conditions: [{ type: "Ready", status: "False", message: "not yet" }] },
} as unknown as Pod;

function modified(change: (pod: Pod) => object): string {
  const object = { ...POD, ...change(POD) } as StoredObject;
  const next = { ...object, metadata: { ...object.metadata, resourceVersion: "7" } };
  const words: Change = { type: "modified", kind: pods, key: "default/web", object: next, before: POD, revision: 7 };
  return wordsOf(words);
}

test("a change of what has no words of its own names the fields", () => {
  const conditions = [{ type: "Ready", status: "False", message: "still not" }];
  assert.equal(
    modified(({ status }) => ({ status: { ...status, conditions, podIP: "10.42.0.2" } })),
    "7 modified Pod default/web  changed: status.conditions[Ready].message, status.podIP",
  );
  const annotations = { a: "1", b: "2", c: "3", d: "4", e: "5" };
  const before = modified(({ metadata }) => ({ metadata: { ...metadata, generation: 2, labels: annotations } }));
  assert.equal(before, "7 modified Pod default/web  changed: metadata.generation, metadata.labels");
  assert.equal(
    modified(() => ({ ...annotations })),
    "7 modified Pod default/web  changed: a, b, c, d and 1 more",
  );
  assert.equal(
    modified(({ spec }) => ({ spec: { ...spec, containers: [...spec.containers, ...spec.containers] } })),
    "7 modified Pod default/web  changed: spec.containers[1]",
  );
  assert.equal(
    modified(() => ({})),
    "7 modified Pod default/web  changed: nothing but the revision",
  );
});

test("a change that has words of its own is said in them", () => {
  assert.equal(
    modified(({ status }) => ({ status: { ...status, phase: "Failed", podIP: "10.42.0.2" } })),
    "7 modified Pod default/web  phase=Failed",
  );
});

test("lines of drivers and of kills name the pod, no change is left without words, and the trace is the same as without", async () => {
  const quiet = await runSeed(27, "swarm");
  const { timeline = [], traceHash } = await runSeed(27, "swarm", { timeline: true });
  assert.equal(traceHash, quiet.traceHash);
  const driver = timeline.filter((line) => / {2}driver {2}/.test(line));
  assert.ok(driver.length > 100, `${driver.length} calls`);
  const named = / {2}driver {2}n\d+ [a-z-]+ [a-z]+\/[\w.@:-]+ \S+\/\d+ {2}uid=[0-9a-f-]{36}$/;
  assert.deepEqual(
    driver.filter((line) => !named.test(line)),
    [],
  );
  assert.deepEqual(
    timeline.filter((line) => / modified \S+ \S+$/.test(line)),
    [],
  );
  const kills = timeline.filter((line) => /(killed|out of memory): /.test(line));
  assert.deepEqual(
    kills.filter((line) => !/ of [a-z]+\/\S+ {2}uid=/.test(line)),
    [],
  );
});

test("commits and changes are told apart: the revisions of the timeline are the changes", async () => {
  const result = await runSeed(3, "blip", { timeline: true });
  const lines = (result.timeline ?? []).filter((line) => / {2}commit {2}/.test(line));
  assert.equal(result.changes, lines.length);
  assert.ok(result.commits < result.changes, `${result.commits} commits, ${result.changes} changes`);
  const summary = new Summary();
  summary.add(result, 1);
  summary.add(result, 1);
  const line = summary.lines().find((one) => one.startsWith("commits"));
  assert.equal(line, `commits          ${2 * result.commits} (${2 * result.changes} changes)`);
});
