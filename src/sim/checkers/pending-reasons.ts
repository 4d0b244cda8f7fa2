import { type Node, nodes } from "../../model/node.ts";
import { isTerminal, type Pod, pods } from "../../model/pod.ts";
import { refusalOf } from "../../scheduling/bind-pod.ts";
import { Census } from "../../scheduling/census.ts";
import { compileDemand } from "../../scheduling/demand.ts";
import { type Explanation, explainPod } from "../../scheduling/explain.ts";
import { type NodeInfo, nodeInfoOf } from "../../scheduling/node-info.ts";
import { schedulePod } from "../../scheduling/schedule-pod.ts";
import { withChanges } from "../../scheduling/unblock.ts";
import type { Reader } from "../../store/transaction.ts";
import { type Checker, SimFailure, type World } from "../contract.ts";
import { podWords } from "./pod-book.ts";
import { runsForGood } from "./runs-for-good.ts";

/** Judged once all is still: while things change, a reason may be a moment old. */
const STRATEGY = { strategy: "spread" } as const;
const JUDGED_AT_MOST = 50;

export class PendingReasons implements Checker {
  readonly rule = "pending-reasons";
  readonly words =
    "Every pod that waits has a reason, and the reason is true: no node takes it, and with the change that is named it would be placed.";
  judgements = 0;

  settled({ server }: Pick<World, "server">): void {
    if (server.store) this.judge(server.store);
  }

  judge(reader: Reader): void {
    const waiting = reader
      .by(pods, "node", "")
      .filter((pod) => !isTerminal(pod) && pod.metadata.deletionTimestamp === undefined);
    if (waiting.length === 0) return;
    const infos = reader.list(nodes).map((node) => nodeInfoOf(node, boundTo(reader, node)));
    // Where programs come and go the numbers in a reason are a moment old.
    const isStill = reader.list(pods).every(runsForGood);
    for (const pod of waiting.slice(0, JUDGED_AT_MOST)) {
      this.judgements++;
      this.#judgeOne(pod, infos, isStill);
    }
  }

  #judgeOne(pod: Pod, infos: readonly NodeInfo[], isStill: boolean): void {
    const said = refusalOf(pod);
    if (said === undefined) throw new SimFailure(this.rule, `${podWords(pod)} waits, and nothing says why`);
    const truth = explainPod(pod, infos, STRATEGY);
    if (truth.wouldChoose !== undefined)
      throw new SimFailure(this.rule, `${podWords(pod)} waits ("${said}"), and ${truth.wouldChoose} would take it`);
    const count = `0 of ${infos.length} `;
    if (infos.length > 0 && !said.startsWith(count))
      throw new SimFailure(this.rule, `${podWords(pod)} says "${said}", and there are ${infos.length} nodes`);
    if (isStill) this.#judgeWords(pod, said, truth);
    for (const { nodeName, message, changes } of truth.unblockings) {
      const after = withChanges(compileDemand(pod), infos, nodeName, changes);
      if (schedulePod(after.demand, after.nodes, Census.of(after.nodes), STRATEGY.strategy) === undefined)
        throw new SimFailure(this.rule, `${podWords(pod)}: "${message}" is not so: even then nothing takes it`);
    }
  }

  /** Every clause of the message is what some node has to say now. */
  #judgeWords(pod: Pod, said: string, { verdicts }: Explanation): void {
    const facts = new Set(verdicts.flatMap(({ refusals }) => refusals.map(({ message }) => message)));
    const clauses = said.replace(/^0 of \d+ nodes? can take it\. /, "").split(/; (?=[^:;]+: )/);
    for (const clause of clauses) {
      const message = clause.replace(/^[^:]+: /, "");
      if (facts.size > 0 && ![...facts].some((one) => one.includes(message) || message.includes(one)))
        throw new SimFailure(this.rule, `${podWords(pod)} says "${clause}", which is not what any node says now`);
    }
  }
}

function boundTo(reader: Reader, node: Node): readonly Pod[] {
  return reader.by(pods, "node", node.metadata.name).filter((pod) => !isTerminal(pod));
}
