import assert from "node:assert/strict";
import { test } from "node:test";
import { EXCLUSIVE_ANNOTATION } from "../model/exclusive.ts";
import type { LeaseTerms } from "../model/heartbeat.ts";
import type { Pod } from "../model/pod.ts";
import { termsOf } from "./lease-terms.ts";

const USUAL = { heartbeatMs: 1_000, exclusiveMs: 40_000 };

function record(isExclusive: boolean, leaseTerms?: LeaseTerms) {
  const annotations = { [EXCLUSIVE_ANNOTATION]: String(isExclusive) };
  const pod = {
    metadata: { name: "a", uid: "u", annotations },
    spec: { containers: [] },
    status: {},
  } as unknown as Pod;
  return leaseTerms === undefined ? { pod } : { pod, leaseTerms };
}

test("an agent that finds no exclusive pod, or one of which no terms were written down, goes by the usual ones", () => {
  assert.deepEqual(termsOf([]), USUAL);
  assert.deepEqual(termsOf([record(false, { heartbeatMs: 1_000, exclusiveMs: 5_000 })]), USUAL);
  assert.deepEqual(termsOf([record(true)]), USUAL);
});

test("of several exclusive pods the shortest terms count: what may be given away first is stopped in time", () => {
  const terms = (exclusiveMs: number) => record(true, { heartbeatMs: 1_000, exclusiveMs });
  assert.deepEqual(termsOf([terms(90_000), terms(20_000)]), { ...USUAL, exclusiveMs: 20_000 });
  assert.deepEqual(termsOf([terms(90_000), record(true)]), USUAL);
});

test("pods that are never given away are not fenced before anybody says so", () => {
  assert.deepEqual(termsOf([record(true, { heartbeatMs: 1_000 })]), { heartbeatMs: 1_000 });
  assert.deepEqual(termsOf([record(true, { heartbeatMs: 1_000 }), record(true)]), USUAL);
});
