import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Meters } from "../../metrics/meters.ts";
import { SERVER_METRICS } from "../../metrics/server-metrics.ts";
import { endpoints } from "../../model/endpoints.ts";
import { pods } from "../../model/pod.ts";
import type { Change } from "../../store/transaction.ts";
import { PodPaces } from "./pod-paces.ts";

type Type = Change["type"];

function pod(more: { node?: string; ready?: boolean; ended?: boolean } = {}) {
  const conditions = [{ type: "Ready", status: more.ready ? "True" : "False" }];
  const status = { phase: more.ended ? "Succeeded" : "Running", conditions, podIP: "10.0.0.1" };
  const spec = { containers: [], ...(more.node === undefined ? {} : { nodeName: more.node }) };
  return { kind: "Pod", metadata: { uid: "u", name: "p", namespace: "d" }, spec, status };
}

function change(type: Type, object: object, before?: object): Change {
  return { type, kind: pods, key: "d/p", object, before, revision: 1 } as unknown as Change;
}

function said(isReady: boolean): Change {
  const address = [{ ip: "10.0.0.1", targetRef: { kind: "Pod", namespace: "d", name: "p", uid: "u" } }];
  const subsets = [isReady ? { addresses: address } : { notReadyAddresses: address }];
  return { type: "modified", kind: endpoints, key: "d/s", object: { subsets }, revision: 2 } as unknown as Change;
}

function paces() {
  const meters = new Meters(SERVER_METRICS);
  const of = (name: string) => {
    const found = meters.series().find(({ definition }) => definition.name === name)?.histograms[0];
    return found === undefined ? undefined : [found.counts.reduce((a, b) => a + b, 0), found.sum];
  };
  return { pace: new PodPaces(meters), of };
}

describe("how long pods take", () => {
  test("is counted from their creation to a node, and to being ready, once each", () => {
    const { pace, of } = paces();
    const [made, bound, ready] = [pod(), pod({ node: "n1" }), pod({ node: "n1", ready: true })];
    pace.take(change("added", made), 1_000);
    pace.take(change("modified", bound, made), 1_500);
    pace.take(change("modified", bound, bound), 1_600);
    pace.take(change("modified", ready, bound), 4_000);
    pace.take(change("modified", bound, ready), 5_000);
    pace.take(change("modified", ready, bound), 6_000);
    assert.deepEqual(of("styr_scheduling_duration_seconds"), [1, 0.5]);
    assert.deepEqual(of("styr_pod_start_duration_seconds"), [1, 3]);
  });

  test("is not made up for pods that were there before, or that ended", () => {
    const { pace, of } = paces();
    pace.take(change("modified", pod({ node: "n1" }), pod()), 1_000);
    pace.take(change("added", pod()), 2_000);
    pace.take(change("modified", pod({ ended: true }), pod()), 3_000);
    pace.take(change("modified", pod({ node: "n1" }), pod()), 4_000);
    assert.equal(of("styr_scheduling_duration_seconds"), undefined);
  });

  test("is counted from a change of readiness to the endpoints that say just that", () => {
    const { pace, of } = paces();
    const [waits, ready] = [pod({ node: "n1" }), pod({ node: "n1", ready: true })];
    pace.take(change("modified", ready, waits), 1_000);
    pace.take(said(false), 1_200);
    assert.equal(of("styr_network_programming_duration_seconds"), undefined);
    pace.take(said(true), 1_500);
    pace.take(said(true), 9_000);
    assert.deepEqual(of("styr_network_programming_duration_seconds"), [1, 0.5]);
    pace.take(change("modified", waits, ready), 10_000);
    pace.take(said(false), 10_250);
    assert.deepEqual(of("styr_network_programming_duration_seconds"), [2, 0.75]);
  });
});
