/** What the node lifecycle writes about pods when their node is lost, given up, and back: dialects see no more of it. */
import { withDisruption, withoutDisruption } from "../../src/model/disruption.ts";
import { NODE_LOST } from "../../src/model/node-state.ts";
import { type Condition, isTerminal, type Pod, pods } from "../../src/model/pod.ts";
import { rfc3339 } from "../../src/seams/clock.ts";
import type { Store } from "../../src/store/store.ts";

function withReady(pod: Pod, ready: Condition): Pod {
  const others = (pod.status.conditions ?? []).filter(({ type }) => type !== "Ready");
  return { ...pod, status: { ...pod.status, conditions: [...others, ready] } };
}

async function change(store: Store, nodeName: string, to: (pod: Pod, nowMs: number) => Pod): Promise<void> {
  await store.update((tx) => {
    for (const pod of tx.by(pods, "node", nodeName)) if (!isTerminal(pod)) tx.update(pods, to(pod, tx.nowMs));
  });
}

/** The node is unreachable; with `replaced`, its pods have been given up too. */
export async function loseNode(store: Store, nodeName: string, replaced = true): Promise<void> {
  await change(store, nodeName, (pod, nowMs) => {
    const message = `${nodeName} is unreachable`;
    const lastTransitionTime = rfc3339(nowMs);
    const lost = withReady(pod, { type: "Ready", status: "False", reason: NODE_LOST, message, lastTransitionTime });
    return replaced ? withDisruption(lost, "NodeUnreachable", message, nowMs) : lost;
  });
}

export async function giveUp(store: Store, nodeName: string): Promise<void> {
  await change(store, nodeName, (pod, nowMs) => withDisruption(pod, "NodeUnreachable", "given up", nowMs));
}

export async function returnNode(store: Store, nodeName: string): Promise<void> {
  await change(store, nodeName, (pod, nowMs) =>
    withReady(withoutDisruption(pod, nowMs, true), { type: "Ready", status: "True" }),
  );
}

export async function disrupt(store: Store, pod: Pod, reason: "Drain" | "Rebalance"): Promise<void> {
  await store.update((tx) => {
    const present = tx.get(pods, `${pod.metadata.namespace}/${pod.metadata.name}`);
    if (present) tx.update(pods, withDisruption(present, reason, "to be moved", tx.nowMs));
  });
}
