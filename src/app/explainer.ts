import type { Explainer, PlacementExplanation } from "../api/explainer.ts";
import { nodes } from "../model/node.ts";
import { isTerminal, type Pod, pods } from "../model/pod.ts";
import { type Explanation, explainPod } from "../scheduling/explain.ts";
import { nodeInfoOf } from "../scheduling/node-info.ts";
import type { Strategy } from "../scheduling/scores.ts";
import type { Reader } from "../store/transaction.ts";

/** `styr why`: the scheduler's answer over the whole cluster as it is now. Asked by people, so it may look at every node. */
export function explainer(reader: Reader, strategy: Strategy): Explainer {
  return (pod: Pod) => {
    const infos = reader.list(nodes).map((node) => nodeInfoOf(node, boundTo(reader, node.metadata.name)));
    return inWords(explainPod(pod, infos, { strategy }));
  };
}

function boundTo(reader: Reader, nodeName: string): readonly Pod[] {
  return reader.by(pods, "node", nodeName).filter((pod) => !isTerminal(pod));
}

function inWords({ summary, verdicts, unblockings }: Explanation): PlacementExplanation {
  const lines = verdicts.map(({ nodes: names, refusals, scores, total }) => {
    const subject = names.join(", ");
    if (refusals.length > 0) return `${subject}: ${refusals.map(({ message }) => message).join("; ")}`;
    return `${subject}: fits, rated ${total ?? 0} (${scores.map(({ name, points }) => `${name} ${points}`).join(", ")})`;
  });
  const [first] = unblockings;
  return { summary, nodes: lines, ...(first === undefined ? {} : { suggestion: first.message }) };
}
