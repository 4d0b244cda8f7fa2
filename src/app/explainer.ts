import type { Explainer, PlacementExplanation } from "../api/explainer.ts";
import type { Scheduler } from "../scheduling/scheduler.ts";

type Explanation = NonNullable<ReturnType<Scheduler["explain"]>>;

/** More lines, or names in a line, nobody reads. */
const MOST_LINES = 20;
const MOST_NAMES = 10;

/** `styr why`: the scheduler's answer over the whole cluster, from the index that it places pods by. */
export function explainer(scheduler: Pick<Scheduler, "explain">): Explainer {
  return (pod) => {
    const explanation = scheduler.explain(pod);
    return explanation && inWords(explanation);
  };
}

function inWords({ summary, verdicts, unblockings }: Explanation): PlacementExplanation {
  const lines = verdicts.slice(0, MOST_LINES).map(({ nodes: names, refusals, scores, total }) => {
    const subject = namesOf(names);
    if (refusals.length > 0) return `${subject}: ${refusals.map(({ message }) => message).join("; ")}`;
    return `${subject}: fits, rated ${total ?? 0} (${scores.map(({ name, points }) => `${name} ${points}`).join(", ")})`;
  });
  const left = verdicts.slice(MOST_LINES).reduce((sum, { nodes }) => sum + nodes.length, 0);
  const [first] = unblockings;
  return {
    summary,
    nodes: left === 0 ? lines : [...lines, `and ${left} more nodes`],
    ...(first === undefined ? {} : { suggestion: first.message }),
  };
}

function namesOf(names: readonly string[]): string {
  const others = names.length - MOST_NAMES;
  return names.slice(0, MOST_NAMES).join(", ") + (others > 0 ? ` and ${others} others` : "");
}
