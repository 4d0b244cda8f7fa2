import { type Pod, pods } from "../../model/pod.ts";
import type { Store } from "../../store/store.ts";
import type { Change } from "../../store/transaction.ts";
import { type Checker, type DriverCall, SimFailure } from "../contract.ts";
import { podWords } from "./pod-book.ts";

export class OneNodeForLife implements Checker {
  readonly rule = "one-node-for-life";
  readonly words =
    "A pod's uid is bound to one node for life: it is never bound to another, runs nowhere else, and never comes back.";
  judgements = 0;
  readonly #nodes = new Map<string, string>();
  readonly #removed = new Set<string>();

  started(store: Store): void {
    for (const pod of store.list(pods)) this.#take(pod);
  }

  committed(changes: readonly Change[]): void {
    for (const { kind, type, object } of changes) {
      if (kind.name !== pods.name) continue;
      if (type === "removed") this.#removed.add(object.metadata.uid);
      else this.#take(object as Pod, type === "added");
    }
  }

  driver({ what, podUid, host }: DriverCall): void {
    if (what !== "start" && what !== "running") return;
    const node = this.#nodes.get(podUid);
    this.judgements++;
    if (node !== host)
      throw new SimFailure(this.rule, `pod ${podUid} is started on ${host} and bound to ${node ?? "no node"}`);
  }

  #take(pod: Pod, isNew = false): void {
    const { uid } = pod.metadata;
    if (isNew && (this.#removed.has(uid) || this.#nodes.has(uid)))
      throw new SimFailure(this.rule, `${podWords(pod)} has the uid of an earlier pod`);
    const { nodeName } = pod.spec;
    const before = this.#nodes.get(uid);
    if (nodeName === undefined) {
      if (before !== undefined) throw new SimFailure(this.rule, `${podWords(pod)} was on ${before} and is on no node`);
      return;
    }
    this.judgements++;
    if (before !== undefined && before !== nodeName)
      throw new SimFailure(this.rule, `${podWords(pod)} was bound to ${before} and is bound to ${nodeName}`);
    this.#nodes.set(uid, nodeName);
  }
}
