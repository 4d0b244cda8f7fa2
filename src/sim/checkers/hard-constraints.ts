import { keyOf } from "../../model/meta.ts";
import { type Node, nodes } from "../../model/node.ts";
import { type Pod, pods } from "../../model/pod.ts";
import { Census } from "../../scheduling/census.ts";
import type { Demand } from "../../scheduling/demand.ts";
import { Demands } from "../../scheduling/demands.ts";
import { fitsRoom } from "../../scheduling/fit.ts";
import { nodeFacts } from "../../scheduling/node-facts.ts";
import { checkFacts } from "../../scheduling/node-filters.ts";
import { NodeInfo } from "../../scheduling/node-info.ts";
import { checkPodRules } from "../../scheduling/pod-checks.ts";
import { prepareScan } from "../../scheduling/schedule-pod.ts";
import type { Store } from "../../store/store.ts";
import type { Change } from "../../store/transaction.ts";
import { type Checker, SimFailure } from "../contract.ts";
import { isBinding, nodeHeldBy, podChanges, podWords } from "./pod-book.ts";

/** Looks at every node afresh, with the plain scan and not the scheduler's index, as of exactly before the binding. */
export class HardConstraints implements Checker {
  readonly rule = "hard-constraints";
  readonly words =
    "When a pod is bound, its node is ready, not cordoned, tolerated, has the drivers, and every hard rule of it and of the pods that are placed holds.";
  judgements = 0;
  #demands = new Demands();
  readonly #nodes = new Map<string, Node>();
  readonly #infos = new Map<string, NodeInfo>();
  /** By key; also of pods on nodes that are not there. */
  readonly #placed = new Map<string, { readonly nodeName: string; readonly demand: Demand }>();
  #keepers = 0;

  started(store: Store): void {
    this.#nodes.clear();
    this.#infos.clear();
    this.#placed.clear();
    this.#keepers = 0;
    for (const node of store.list(nodes)) this.#setNode(node);
    for (const pod of store.list(pods)) this.#place(keyOf(pod), pod);
  }

  committed(changes: readonly Change[]): void {
    for (const change of changes) {
      if (change.kind.name === nodes.name) {
        if (change.type === "removed") {
          this.#infos.delete(change.key);
          this.#nodes.delete(change.key);
        } else this.#setNode(change.object as Node);
      }
      for (const one of podChanges([change])) {
        if (isBinding(one) && one.after && one.before) this.#judge(one.before, one.after);
        this.#place(change.key, one.after);
      }
    }
  }

  #setNode(node: Node): void {
    const { name } = node.metadata;
    this.#nodes.set(name, node);
    const facts = nodeFacts(node);
    const known = this.#infos.get(name);
    if (known) {
      this.#infos.set(name, known.clone(facts));
      return;
    }
    const info = new NodeInfo(facts);
    for (const [key, { nodeName, demand }] of this.#placed)
      if (nodeName === name) info.add({ key, identity: demand.identity, demand });
    this.#infos.set(name, info);
  }

  #place(key: string, pod: Pod | undefined): void {
    const nodeName = nodeHeldBy(pod);
    const before = this.#placed.get(key);
    const demand = pod && nodeName !== undefined ? this.#demands.of(pod) : undefined;
    if (before && before.nodeName === nodeName && before.demand === demand) return;
    if (before) {
      this.#placed.delete(key);
      this.#infos.get(before.nodeName)?.remove(key);
      if (before.demand.keepsApart.length > 0) this.#keepers--;
    }
    if (nodeName === undefined || !demand) return;
    this.#placed.set(key, { nodeName, demand });
    this.#infos.get(nodeName)?.add({ key, identity: demand.identity, demand });
    if (demand.keepsApart.length > 0) this.#keepers++;
  }

  #judge(before: Pod, after: Pod): void {
    const nodeName = after.spec.nodeName ?? "";
    const node = this.#infos.get(nodeName);
    if (!node) throw new SimFailure(this.rule, `${podWords(after)} was bound to ${nodeName}, which does not exist`);
    this.judgements++;
    const demand = this.#demands.of(before);
    const refusal = checkFacts(demand, node) ?? fitsRoom(demand, node) ?? this.#rulesAgainst(demand, node);
    const why = nodeRefuses(this.#nodes.get(nodeName), before) ?? refusal?.message;
    if (why !== undefined) throw new SimFailure(this.rule, `${podWords(after)} was bound to ${nodeName}, which ${why}`);
  }

  /** Only pods with rules about other pods, or where others have such rules, need everybody counted. */
  #rulesAgainst(demand: Demand, node: NodeInfo) {
    if (demand.podRules.length === 0 && this.#keepers === 0) return undefined;
    const all = [...this.#infos.values()];
    return checkPodRules(prepareScan(demand, all, Census.of(all)), node.facts);
  }
}

/** What can be said without the scheduler's own code, which may be what is wrong. */
function nodeRefuses(node: Node | undefined, { spec }: Pod): string | undefined {
  if (!node) return "does not exist";
  if (!node.status.conditions.some(({ type, status }) => type === "Ready" && status === "True")) return "is not ready";
  const isOfCordon = ({ key }: { readonly key?: string }) => key === "node.kubernetes.io/unschedulable";
  if (node.spec.unschedulable && !spec.tolerations?.some(isOfCordon)) return "is cordoned";
  // The taint of a cordon follows the field, so it may be there for a moment more.
  const taint = (node.spec.taints ?? []).find(
    ({ key, value = "", effect }) =>
      !isOfCordon({ key }) &&
      effect !== "PreferNoSchedule" &&
      !(spec.tolerations ?? []).some(
        (one) =>
          (!one.effect || one.effect === effect) &&
          (!one.key || one.key === key) &&
          (one.operator === "Exists" || (one.key === key && (one.value ?? "") === value)),
      ),
  );
  if (taint) return `has the taint ${taint.key}`;
  const wrong = Object.entries(spec.nodeSelector ?? {}).find(([key, value]) => node.metadata.labels?.[key] !== value);
  return wrong && `does not have ${wrong.join("=")}`;
}
