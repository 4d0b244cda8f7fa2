import { isTerminal, type PodPhase } from "../../model/pod.ts";
import type { Change } from "../../store/transaction.ts";
import { type Checker, SimFailure } from "../contract.ts";
import { podChanges, podWords } from "./pod-book.ts";

const RANK: Readonly<Record<PodPhase, number>> = { Pending: 0, Unknown: 0, Running: 1, Succeeded: 2, Failed: 2 };

export class PhasesForward implements Checker {
  readonly rule = "phases-forward";
  readonly words = "A pod's phase never goes back, and Succeeded and Failed are final.";
  judgements = 0;

  committed(changes: readonly Change[]): void {
    for (const { change, before, after } of podChanges(changes)) {
      if (!before || !after || before.status === after.status) continue;
      this.judgements++;
      const [from, to] = [before.status.phase, after.status.phase];
      if (before.metadata.uid !== after.metadata.uid) continue;
      if (RANK[to] < RANK[from] || (isTerminal(before) && to !== from))
        throw new SimFailure(this.rule, `${podWords(after)} went from ${from} to ${to} (revision ${change.revision})`);
    }
  }
}
