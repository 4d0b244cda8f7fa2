import type { NodeEvent, PodReport } from "../agent/control.ts";
import type { Call } from "../agent/frames/call.ts";
import { CLUSTER_TRUST_NAME, clusterTrusts } from "../model/cluster-trust.ts";
import { ApiError } from "../model/errors.ts";
import type { LeaseDesk } from "../model/heartbeat.ts";
import { hostCertificateName, hostCertificates } from "../model/host-certificate.ts";
import { nodes } from "../model/node.ts";
import { isTerminal, pods } from "../model/pod.ts";
import { isRouteSecret, isWayIn } from "../model/way-in/route-secrets.ts";
import type { Store } from "../store/store.ts";
import type { Tx } from "../store/transaction.ts";
import { keyValues, usesValues, type ValuesKind } from "./key-values.ts";
import { writeEvents } from "./write-events.ts";
import { writeNode } from "./write-node.ts";
import { writeReport } from "./write-report.ts";

/** What one node may ask for: what concerns itself and the pods bound to it. Anything else is Forbidden. */
export class NodeCalls {
  readonly #node: string;
  readonly #store: Store;
  readonly #leases: LeaseDesk;
  /** By uid, the number of the call that reported last. */
  readonly #reported = new Map<string, number>();

  constructor(node: string, store: Store, leases: LeaseDesk) {
    this.#node = node;
    this.#store = store;
    this.#leases = leases;
  }

  /** `number`: calls are numbered in the order in which the agent made them. */
  async carryOut(number: number, call: Exclude<Call, { method: "watch" | "network" }>): Promise<unknown> {
    switch (call.method) {
      case "register":
        this.checkOwn(call.node.metadata.name, "register");
        return this.#store.update((tx) => {
          this.#checkWelcome(tx);
          writeNode(tx, call.node);
        });
      case "report":
        return this.#report(number, call.reports, call.events);
      case "values":
        return this.#values(call.kind, call.namespace, call.name);
      case "goodbye":
        this.checkOwn(call.goodbye.node, "say goodbye for");
        return this.#leases.goodbye(call.goodbye);
    }
  }

  /** A node that was forgotten is told so before its link is cut, and must not come back in that moment. */
  #checkWelcome(tx: Tx): void {
    const refused = tx.get(clusterTrusts, CLUSTER_TRUST_NAME)?.spec.refused ?? [];
    const refusal = refused.find(({ name, role }) => name === this.#node && role === "node");
    // One that has joined again since has a certificate again.
    if (!refusal || tx.get(hostCertificates, hostCertificateName("node", this.#node))) return;
    throw new ApiError("Forbidden", `node "${this.#node}" has to join again: ${refusal.why}`);
  }

  checkOwn(node: string, verb: string): void {
    if (node !== this.#node) throw new ApiError("Forbidden", `node "${this.#node}" may not ${verb} node "${node}"`);
  }

  /** Pods of which it is known which report was the last. */
  get remembered(): number {
    return this.#reported.size;
  }

  /** The pod has left the store: nothing about it can be written any more. */
  forget(uid: string): void {
    this.#reported.delete(uid);
  }

  async #report(number: number, reports: readonly PodReport[], happened: readonly NodeEvent[]): Promise<void> {
    await this.#store.update((tx) => {
      for (const { key, uid } of reports) this.#checkBound(tx, key, uid);
      for (const { podKey, podUid } of happened) this.#checkBound(tx, podKey, podUid);
      writeEvents(tx, happened);
      for (const report of reports) if (this.#isNewest(tx, number, report)) writeReport(tx, report);
    });
  }

  /** A report that a later one overtook says nothing new: it is taken, and not written. */
  #isNewest(tx: Tx, number: number, { key, uid }: PodReport): boolean {
    if ((this.#reported.get(uid) ?? 0) > number) return false;
    if (tx.get(pods, key)?.metadata.uid === uid) this.#reported.set(uid, number);
    return true;
  }

  #checkBound(tx: Tx, key: string, uid: string): void {
    const pod = tx.get(pods, key);
    // One that has left, or its name's next owner: its report is not written anyway.
    if (pod?.metadata.uid !== uid || pod.spec.nodeName === this.#node) return;
    throw new ApiError("Forbidden", `node "${this.#node}" may not report pod "${key}": it is not bound to it`);
  }

  #values(kind: ValuesKind, namespace: string, name: string) {
    // What is over needs no values any more.
    const mine = this.#store.by(pods, "node", this.#node).filter((pod) => !isTerminal(pod));
    const isUsed = mine.some((pod) => pod.metadata.namespace === namespace && usesValues(pod, kind, name));
    if (!isUsed && !this.#isCertificate(kind, namespace, name)) {
      throw new ApiError(
        "Forbidden",
        `node "${this.#node}" may not read ${kind} "${namespace}/${name}": no pod bound to it uses it`,
      );
    }
    return keyValues(this.#store, kind, namespace, name);
  }

  /** A node where HTTPS comes in has the certificates of the hosts that come in there. */
  #isCertificate(kind: ValuesKind, namespace: string, name: string): boolean {
    if (kind !== "Secret" || !isWayIn(this.#store.get(nodes, this.#node))) return false;
    return isRouteSecret(this.#store, namespace, name);
  }
}
