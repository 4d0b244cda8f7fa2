/** What becomes of a pod with its node, and what has become of it, in sentences. Pure in what it reads. */
import { humanDuration } from "../lib/duration.ts";
import { CLUSTER_SETTINGS_NAME, clusterSettings, settingsInForce } from "../model/cluster-settings.ts";
import { type DisruptionReason, disruptionOf, hasReturned, isActive } from "../model/disruption.ts";
import { controllerOf, keyOf } from "../model/meta.ts";
import { isOnLostNode } from "../model/node-state.ts";
import { isLive, isReady, isTerminal, type Pod } from "../model/pod.ts";
import { isExclusive, unreachableRuleOf } from "../model/when-unreachable.ts";
import { peersOf } from "../store/peers-of.ts";
import type { Reader } from "../store/transaction.ts";

/** Its rule, for a pod that runs somewhere. */
export function lossSentences(reader: Reader, pod: Pod): readonly string[] {
  if (pod.spec.nodeName === undefined || !isLive(pod) || disruptionOf(pod)) return [];
  const settings = settingsInForce(reader.get(clusterSettings, CLUSTER_SETTINGS_NAME));
  const rule = unreachableRuleOf(pod);
  const when = isOnLostNode(pod) ? "its node is lost" : "if its node is lost";
  if (controllerOf(pod) === undefined) return [`${when}: nothing takes its place, as no controller made it`];
  if (rule.action === "keep") return [`${when}: it waits for its node (its rule is keep)`];
  const silenceMs = settings.unreachableAfterMs + rule.afterMs;
  if (isExclusive(pod)) {
    const earliest = humanDuration(Math.max(silenceMs, settings.exclusiveAfterMs));
    return [
      `${when}: it is exclusive, so its node stops it by itself, and after ${earliest} of silence it is started elsewhere`,
    ];
  }
  return [`${when}: it is replaced after ${humanDuration(silenceMs)} of silence`];
}

const WHY: Readonly<Record<DisruptionReason, string>> = {
  NodeUnreachable: "it is given up",
  Drain: "it moves, as its node is drained",
  Rebalance: "it moves, to even out the nodes",
};

/** Why it does not count any more, and what has taken its place. */
export function disruptionSentences(reader: Reader, pod: Pod): readonly string[] {
  if (hasReturned(pod)) return ["it was lost with its node, and came back with it"];
  const disruption = disruptionOf(pod);
  if (!disruption || isTerminal(pod)) return [];
  const why = WHY[disruption.reason as DisruptionReason] ?? "it is to be replaced";
  const said = disruption.message === undefined ? why : `${why}: ${disruption.message}`;
  return [said, successorSentence(successorsOf(reader, pod, disruption.lastTransitionTime ?? ""))];
}

/** Copies of the same controller that were made since. Times of pods have whole seconds. */
function successorsOf(reader: Reader, pod: Pod, since: string): readonly Pod[] {
  return peersOf(reader, pod)
    .filter((other) => isActive(other) && other.metadata.creationTimestamp >= since.slice(0, 19))
    .toSorted((a, b) => Number(isReady(b)) - Number(isReady(a)) || (keyOf(a) < keyOf(b) ? -1 : 1));
}

function successorSentence([first, ...others]: readonly Pod[]): string {
  if (!first) return "nothing has taken its place yet";
  const { nodeName } = first.spec;
  const where =
    nodeName === undefined ? "waits for a node" : isReady(first) ? `runs on ${nodeName}` : `starts on ${nodeName}`;
  const more = others.length === 0 ? "" : `, and ${others.length} more were made since`;
  return `in its place ${keyOf(first)} ${where}${more}`;
}
