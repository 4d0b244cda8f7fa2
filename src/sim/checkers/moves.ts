import { disruptionOf } from "../../model/disruption.ts";
import type { Pod } from "../../model/pod.ts";
import type { Change } from "../../store/transaction.ts";
import { podChanges } from "./pod-book.ts";

/** Pods that were given up with their node in these changes. */
export function givenUp(changes: readonly Change[]): readonly Pod[] {
  return podChanges(changes).flatMap(({ before, after }) => {
    if (!after || !isGivenUp(after) || (before && isGivenUp(before))) return [];
    return [after];
  });
}

function isGivenUp(pod: Pod): boolean {
  return disruptionOf(pod)?.reason === "NodeUnreachable";
}
