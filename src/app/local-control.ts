import type { Assignments, Control, NodeEvent, PodReport } from "../agent/control.ts";
import { configMaps } from "../model/config-map.ts";
import { ApiError } from "../model/errors.ts";
import type { Goodbye, Heartbeat, HeartbeatAnswer } from "../model/heartbeat.ts";
import { type Draft, keyOf } from "../model/meta.ts";
import { type Node, nodes } from "../model/node.ts";
import { AGENT_CONDITIONS, isTerminal, type Pod, type PodPhase, type PodStatus, pods } from "../model/pod.ts";
import { secrets } from "../model/secret.ts";
import { recordEvent } from "../store/record-event.ts";
import type { Store } from "../store/store.ts";
import type { Change, Tx } from "../store/transaction.ts";

/** The control plane as an agent in the same process sees it: the store, with nothing in between. */
export class LocalControl implements Control {
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  async registerNode(draft: Draft<Node>): Promise<void> {
    await this.#store.update((tx) => {
      const before = tx.get(nodes, draft.metadata.name);
      if (!before) {
        tx.create(nodes, draft);
        return;
      }
      const { labels, annotations } = draft.metadata;
      const metadata = {
        ...before.metadata,
        labels: { ...before.metadata.labels, ...labels },
        ...(annotations === undefined ? {} : { annotations: { ...before.metadata.annotations, ...annotations } }),
      };
      // What people set on a node (cordon, taints) is theirs.
      tx.update(nodes, { ...before, metadata, status: draft.status });
    });
  }

  watchPods(nodeName: string, listener: (assignments: Assignments) => void, signal: AbortSignal): void {
    const run = async () => {
      while (!signal.aborted) {
        const since = this.#store.revision;
        listener({ type: "all", pods: this.#store.by(pods, "node", nodeName) });
        try {
          for await (const changes of this.#store.watch({ kinds: [pods], since, signal })) {
            const batch = changedFor(nodeName, changes);
            if (batch.pods.length > 0 || batch.removed.length > 0) listener(batch);
          }
        } catch (error) {
          if (error instanceof ApiError && error.reason === "Expired") continue;
          if (error instanceof ApiError && error.reason === "Unavailable") return;
          throw error;
        }
      }
    };
    void run();
  }

  async report(reports: readonly PodReport[], happened: readonly NodeEvent[]): Promise<void> {
    await this.#store.update((tx) => {
      for (const event of happened) writeEvent(tx, event);
      for (const report of reports) writeReport(tx, report);
    });
  }

  /** The control plane is this process: it cannot be alive without its agent. */
  async heartbeat(_beat: Heartbeat): Promise<HeartbeatAnswer> {
    return { renewed: true, known: true, terms: { heartbeatMs: 1_000 } };
  }

  async goodbye(_goodbye: Goodbye): Promise<void> {}

  async keyValues(
    kind: "Secret" | "ConfigMap",
    namespace: string,
    name: string,
  ): Promise<Readonly<Record<string, string>> | undefined> {
    const key = `${namespace}/${name}`;
    if (kind === "ConfigMap") return this.#store.get(configMaps, key)?.data;
    const data = this.#store.get(secrets, key)?.data;
    return (
      data &&
      Object.fromEntries(
        Object.entries(data).map(([name, value]) => [name, Buffer.from(value, "base64").toString("utf8")]),
      )
    );
  }
}

/** Of one pod only the last version matters: a batch may hold several. */
function changedFor(nodeName: string, changes: readonly Change[]): Extract<Assignments, { type: "changed" }> {
  const changed = new Map<string, Pod>();
  const removed = new Map<string, { key: string; uid: string }>();
  for (const change of changes) {
    const pod = change.object as Pod;
    if (pod.spec.nodeName !== nodeName) continue;
    const { uid } = pod.metadata;
    if (change.type === "removed") {
      changed.delete(uid);
      removed.set(uid, { key: change.key, uid });
    } else {
      changed.set(uid, pod);
    }
  }
  return { type: "changed", pods: [...changed.values()], removed: [...removed.values()] };
}

function writeEvent(tx: Tx, { podKey, podUid, ...happening }: NodeEvent): void {
  const pod = tx.get(pods, podKey);
  if (pod?.metadata.uid !== podUid) return;
  const host = pod.spec.nodeName;
  recordEvent(tx, pod, { ...happening, component: "agent", ...(host === undefined ? {} : { host }) });
}

const RANK: Readonly<Record<PodPhase, number>> = { Pending: 0, Unknown: 0, Running: 1, Succeeded: 2, Failed: 2 };

function writeReport(tx: Tx, { key, uid, status }: PodReport): void {
  const pod = tx.get(pods, key);
  // The report of an earlier pod of the same name.
  if (pod?.metadata.uid !== uid) return;
  if (status === "gone") {
    recordGone(tx, pod);
    return;
  }
  // Phases never go back, whatever arrives late.
  if (RANK[status.phase] < RANK[pod.status.phase]) return;
  tx.update(pods, {
    ...pod,
    metadata: { ...pod.metadata, resourceVersion: "" },
    status: withOthersConditions(pod, status),
  });
}

/** Finalizers hold the object, not what ran: it then stays as one that is over, and goes with the last of them. */
function recordGone(tx: Tx, pod: Pod): void {
  if (pod.metadata.deletionTimestamp === undefined) return;
  if ((pod.metadata.finalizers ?? []).length === 0) tx.remove(pods, keyOf(pod));
  else if (!isTerminal(pod)) tx.update(pods, { ...pod, status: { ...pod.status, phase: "Failed", reason: "Deleted" } });
}

/** Conditions of others (the scheduler's, readiness gates) are not the agent's to lose or to take back: it may have seen older ones. */
function withOthersConditions(pod: Pod, status: PodStatus): PodStatus {
  const others = (pod.status.conditions ?? []).filter(({ type }) => !AGENT_CONDITIONS.includes(type));
  const told = (status.conditions ?? []).filter((one) => !others.some(({ type }) => type === one.type));
  return withQos(pod, { ...status, conditions: [...told, ...others] });
}

function withQos(pod: Pod, status: PodStatus): PodStatus {
  const { qosClass } = pod.status;
  return qosClass === undefined || status.qosClass !== undefined ? status : { ...status, qosClass };
}
