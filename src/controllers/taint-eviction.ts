/**
 * NoExecute taints that people set: pods of such a node that do not tolerate them are deleted, at the pace that is allowed
 * for moves. Source: Kubernetes' taint eviction controller (pkg/controller/tainteviction). The taints of silence are the
 * node lifecycle's, which replaces pods without deleting them.
 */

import { type BucketRules, TokenBucket } from "../lib/token-bucket.ts";
import { CLUSTER_SETTINGS_NAME, clusterSettings, settingsInForce } from "../model/cluster-settings.ts";
import { keyOf } from "../model/meta.ts";
import { isNodeReady, type Node, nodes, type Taint } from "../model/node.ts";
import { isLive, type Pod, pods } from "../model/pod.ts";
import { toleratedMs } from "../model/toleration.ts";
import { rfc3339 } from "../seams/clock.ts";
import { deletePod } from "../store/delete-pod.ts";
import { recordEvent } from "../store/record-event.ts";
import type { Tx } from "../store/transaction.ts";
import { type Controller, type Requeue, wakes } from "./controller.ts";

const OF_THE_LIFECYCLE: ReadonlySet<string> = new Set([
  "node.kubernetes.io/unreachable",
  "node.kubernetes.io/not-ready",
]);
/** Longest pause while something waits for its turn: the limits may have changed. */
const RETRY_MS = 5_000;

export function taintEviction(): Controller {
  const pace = new Pace();
  return {
    name: "taint-eviction",
    wakers: [
      wakes(nodes, (node) => (evictingTaints(node).length > 0 ? [node.metadata.name] : [])),
      wakes(pods, ({ spec: { nodeName } }, reader) => {
        const node = nodeName === undefined ? undefined : reader.get(nodes, nodeName);
        return node && evictingTaints(node).length > 0 ? [node.metadata.name] : [];
      }),
    ],
    reconcile(name, tx) {
      const found = tx.get(nodes, name);
      // What becomes of pods whose node is silent is for the node lifecycle to say.
      if (!found || !isNodeReady(found) || evictingTaints(found).length === 0) return undefined;
      return evict(tx, evictingTaints(withTimes(tx, found)), name, pace);
    },
  };
}

function evictingTaints({ spec }: Node): readonly Taint[] {
  return (spec.taints ?? []).filter(({ effect, key }) => effect === "NoExecute" && !OF_THE_LIFECYCLE.has(key));
}

/** Seconds of tolerations count from here, also when the control plane starts anew meanwhile. */
function withTimes(tx: Tx, node: Node): Node {
  const untimed = evictingTaints(node).filter(({ timeAdded }) => timeAdded === undefined);
  if (untimed.length === 0) return node;
  const timeAdded = rfc3339(tx.nowMs);
  const taints = node.spec.taints?.map((taint) => (untimed.includes(taint) ? { ...taint, timeAdded } : taint)) ?? [];
  return tx.update(nodes, { ...node, spec: { ...node.spec, taints } });
}

function evict(tx: Tx, taints: readonly Taint[], node: string, pace: Pace): Requeue | undefined {
  const rules = paceRules(tx);
  const here = tx.by(pods, "node", node).filter(isLive);
  const asked = here.map((pod) => ({ pod, dueMs: dueMs(pod, taints) })).filter(({ dueMs }) => Number.isFinite(dueMs));
  asked.sort((a, b) => a.dueMs - b.dueMs || (keyOf(a.pod) < keyOf(b.pod) ? -1 : 1));
  for (const { pod, dueMs } of asked) {
    if (dueMs > tx.nowMs) return { afterMs: dueMs - tx.nowMs };
    const waitMs = pace.take(rules, tx.nowMs);
    if (waitMs > 0) return { afterMs: Math.min(RETRY_MS, waitMs) };
    deletePod(tx, pod);
    const message = `Marking for deletion Pod ${keyOf(pod)}: it does not tolerate a NoExecute taint of ${node}`;
    recordEvent(tx, pod, { type: "Normal", reason: "TaintManagerEviction", message, component: "taint-eviction" });
  }
  return undefined;
}

/** In milliseconds since the epoch; Infinity: it tolerates all of them. */
function dueMs({ spec, status, metadata }: Pod, taints: readonly Taint[]): number {
  const bound = status.conditions?.find(({ type }) => type === "PodScheduled")?.lastTransitionTime;
  const boundMs = Date.parse(bound ?? metadata.creationTimestamp);
  const sinceMs = ({ timeAdded = "" }: Taint) => Math.max(boundMs, Date.parse(timeAdded) || 0);
  return Math.min(...taints.map((taint) => sinceMs(taint) + toleratedMs(taint, spec.tolerations ?? [])));
}

function paceRules(tx: Tx): BucketRules {
  const { movesBurst, movesPerSecond } = settingsInForce(tx.get(clusterSettings, CLUSTER_SETTINGS_NAME));
  return { burst: movesBurst, perSecond: movesPerSecond };
}

/** A clock that was set back starts it anew. */
class Pace {
  #bucket: TokenBucket | undefined;
  #lastMs = 0;

  /** 0: taken; otherwise how long until there is one. */
  take(rules: BucketRules, nowMs: number): number {
    if (!this.#bucket || nowMs < this.#lastMs) this.#bucket = new TokenBucket(rules, nowMs);
    this.#lastMs = nowMs;
    if (this.#bucket.take(rules, nowMs)) return 0;
    return Math.max(1, this.#bucket.readyMs(rules) - nowMs);
  }
}
