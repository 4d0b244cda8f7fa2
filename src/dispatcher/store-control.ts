import type { Assignments, Control, NodeEvent, PodReport } from "../agent/control.ts";
import { ApiError } from "../model/errors.ts";
import type { Goodbye, Heartbeat, HeartbeatAnswer, LeaseDesk } from "../model/heartbeat.ts";
import { hostCertificateName, hostCertificates } from "../model/host-certificate.ts";
import type { Draft } from "../model/meta.ts";
import type { NetworkNews } from "../model/network.ts";
import { type Node, nodes } from "../model/node.ts";
import { type Pod, pods } from "../model/pod.ts";
import { isHeld, RESTORATION_NAME, restorations } from "../model/restoration.ts";
import type { Store } from "../store/store.ts";
import type { Change } from "../store/transaction.ts";
import type { DirectoryControl } from "./directory-control.ts";
import { keyValues, type ValuesKind } from "./key-values.ts";
import { writeEvents } from "./write-events.ts";
import { writeNode } from "./write-node.ts";
import { writeReport } from "./write-report.ts";

/** The control plane as an agent in the same process sees it: the store, with nothing in between. */
export class StoreControl implements Control {
  readonly #store: Store;
  readonly #leases: LeaseDesk;
  readonly #network: DirectoryControl | undefined;

  constructor(store: Store, leases: LeaseDesk = new KnownNodes(store), network?: DirectoryControl) {
    this.#store = store;
    this.#leases = leases;
    this.#network = network;
  }

  async registerNode(draft: Draft<Node>): Promise<void> {
    await this.#store.update((tx) => {
      writeNode(tx, draft);
      // From a time when it came over the network: nothing renews it here, and a change of the CA would wait for it.
      const certificate = hostCertificateName("node", draft.metadata.name);
      if (tx.get(hostCertificates, certificate)) tx.remove(hostCertificates, certificate);
    });
  }

  watchPods(nodeName: string, listener: (assignments: Assignments) => void, signal: AbortSignal): void {
    const run = async () => {
      while (!signal.aborted) {
        const since = this.#store.revision;
        const keepsUnknown = isHeld(this.#store.get(restorations, RESTORATION_NAME))
          ? ({ keepsUnknown: true } as const)
          : {};
        listener({ type: "all", pods: this.#store.by(pods, "node", nodeName), ...keepsUnknown });
        try {
          for await (const changes of this.#store.watch({ kinds: [pods, restorations], since, signal })) {
            if (changes.some(({ kind }) => kind.name === restorations.name)) break;
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
      writeEvents(tx, happened);
      for (const report of reports) writeReport(tx, report);
    });
  }

  watchNetwork(listener: (news: NetworkNews) => void, signal: AbortSignal): void {
    this.#network?.watch(listener, signal);
  }

  networkApplied(revision: number): void {
    this.#network?.applied(revision);
  }

  /** This control plane is alive only with its agent, so nothing exclusive is ever given away from under it. */
  async heartbeat(beat: Heartbeat): Promise<HeartbeatAnswer> {
    const answer = this.#leases.beat(beat);
    return { ...answer, terms: { heartbeatMs: answer.terms.heartbeatMs } };
  }

  async goodbye(goodbye: Goodbye): Promise<void> {
    await this.#leases.goodbye(goodbye);
  }

  async keyValues(
    kind: ValuesKind,
    namespace: string,
    name: string,
  ): Promise<Readonly<Record<string, string>> | undefined> {
    return keyValues(this.#store, kind, namespace, name);
  }
}

/** Without a lifecycle nobody's silence means anything. */
class KnownNodes implements LeaseDesk {
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  beat({ node }: Heartbeat): HeartbeatAnswer {
    return { renewed: true, known: this.#store.get(nodes, node) !== undefined, terms: { heartbeatMs: 1_000 } };
  }

  goodbye(): void {}
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
