/**
 * Takes the change of the CA from step to step, as soon as nobody has to be waited for. All of it is in the store, so whoever
 * leads goes on where the last one was.
 */
import { CLUSTER_TRUST_NAME, type ClusterTrust, clusterTrusts } from "../model/cluster-trust.ts";
import { hostCertificates } from "../model/host-certificate.ts";
import { nodes } from "../model/node.ts";
import { recordEvent } from "../store/record-event.ts";
import { hostsInChange, stepRotation, waitedFor } from "../trust/authorities.ts";
import { type Controller, wakes } from "./controller.ts";

const LEAST_WAIT_MS = 1000;

export const caRotation: Controller = {
  name: "ca-rotation",
  wakers: [
    wakes(clusterTrusts, () => [CLUSTER_TRUST_NAME]),
    wakes(hostCertificates, () => [CLUSTER_TRUST_NAME]),
    // A node that is taken off the list is not waited for.
    wakes(nodes, (_node, _reader, { type }) => (type === "removed" ? [CLUSTER_TRUST_NAME] : [])),
  ],
  reconcile(key, tx) {
    const trust = tx.get(clusterTrusts, key);
    if (!trust?.spec.rotation) return undefined;
    const hosts = hostsInChange(tx.list(hostCertificates), (name) => tx.get(nodes, name) !== undefined);
    const step = stepRotation(trust.spec, hosts, tx.nowMs);
    if (!step) {
      const ends = waitedFor(trust.spec, hosts, tx.nowMs).map(({ untilMs }) => untilMs);
      return { afterMs: Math.max(LEAST_WAIT_MS, Math.min(...ends) - tx.nowMs) };
    }
    const after = tx.update<ClusterTrust>(clusterTrusts, { ...trust, spec: step.spec });
    recordEvent(tx, after, { type: "Normal", reason: "TrustChanged", message: step.words, component: "ca-rotation" });
    return undefined;
  },
};
