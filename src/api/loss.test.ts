import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { clusterSettings } from "../model/cluster-settings.ts";
import { withDisruption, withoutDisruption } from "../model/disruption.ts";
import type { Kind } from "../model/meta.ts";
import { type Pod, type PodSpec, pods } from "../model/pod.ts";
import { testPod } from "../scheduling/test-objects.ts";
import type { Reader } from "../store/transaction.ts";
import { disruptionSentences, lossSentences } from "./loss.ts";

const OWNER = [{ apiVersion: "v1", kind: "ReplicationController", name: "web", uid: "w", controller: true }];
const NOW = Date.UTC(2026, 0, 1);

function podOf(name: string, spec: Partial<PodSpec> = {}, owned = true): Pod {
  const pod = testPod({ name, spec: { nodeName: "n1", ...spec } });
  const metadata = { ...pod.metadata, uid: name, ...(owned ? { ownerReferences: OWNER } : {}) };
  return { ...pod, metadata: { ...metadata, creationTimestamp: "2026-01-01T00:00:09Z" } };
}

function readerOf(all: readonly Pod[], settings: object = {}): Reader {
  return {
    get: (kind: Kind) => (kind.name === clusterSettings.name ? { spec: settings } : undefined),
    list: () => assert.fail("what a namespace holds is not looked through for one pod"),
    by: (kind: Kind, index: string, value: string) =>
      kind.name === pods.name ? all.filter((pod) => pods.indexes[index]?.(pod).includes(value)) : [],
  } as unknown as Reader;
}

describe("what becomes of a pod with its node is said:", () => {
  const rules: readonly (readonly [why: string, pod: Pod, words: RegExp])[] = [
    ["nothing else is asked for", podOf("a"), /replaced after 8s of silence/],
    ["it asks for more time", podOf("a", { whenUnreachable: { action: "replace", afterMs: 60_000 } }), /after 68s/],
    ["it is kept", podOf("a", { whenUnreachable: { action: "keep" } }), /it waits for its node \(its rule is keep\)/],
    ["it is exclusive", podOf("a", { exclusive: true }), /after 40s of silence it is started elsewhere/],
    ["nobody made it", podOf("a", {}, false), /nothing takes its place, as no controller made it/],
  ];
  for (const [why, pod, words] of rules)
    test(why, () => assert.match(lossSentences(readerOf([pod]), pod).join("\n"), words));

  test("the cluster's settings count", () => {
    const reader = readerOf([], { unreachableAfterMs: 20_000 });
    assert.match(lossSentences(reader, podOf("a")).join("\n"), /replaced after 20s/);
  });

  test("a pod that is bound nowhere has no node to lose", () => {
    const { nodeName: _, ...spec } = podOf("a").spec;
    assert.deepEqual(lossSentences(readerOf([]), { ...podOf("a"), spec }), []);
  });
});

describe("what has become of a pod with its node is said:", () => {
  const lost = withDisruption(podOf("lost"), "NodeUnreachable", "node n1 has been silent for 8 s", NOW);

  test("why, and what is in its place", () => {
    const ready = { phase: "Running", conditions: [{ type: "Ready", status: "True" }] } as const;
    const next = { ...podOf("next", { nodeName: "n2" }), status: ready };
    const sentences = disruptionSentences(readerOf([lost, next]), lost);
    assert.deepEqual(sentences, [
      "it is given up: node n1 has been silent for 8 s",
      "in its place default/next runs on n2",
    ]);
  });

  test("or that nothing is", () => {
    const earlier = {
      ...podOf("old"),
      metadata: { ...podOf("old").metadata, creationTimestamp: "2025-01-01T00:00:00Z" },
    };
    assert.match(disruptionSentences(readerOf([lost, earlier]), lost).join("\n"), /nothing has taken its place yet/);
  });

  test("a drain is told from a loss", () => {
    const drained = withDisruption(podOf("a"), "Drain", "n1 is drained", NOW);
    assert.match(disruptionSentences(readerOf([drained]), drained).join("\n"), /it moves, as its node is drained/);
  });

  test("that it came back", () => {
    const back = withoutDisruption(lost, NOW, true);
    assert.deepEqual(disruptionSentences(readerOf([back]), back), ["it was lost with its node, and came back with it"]);
  });
});
