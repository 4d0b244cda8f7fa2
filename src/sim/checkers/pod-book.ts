/** What a checker remembers of pods: the last durable version of each, by uid. */
import { isTerminal, type Pod, pods } from "../../model/pod.ts";
import type { Store } from "../../store/store.ts";
import type { Change } from "../../store/transaction.ts";

export class PodBook {
  readonly #pods = new Map<string, Pod>();

  /** The last version; also of a pod that is over, not of one that was removed. */
  get(uid: string): Pod | undefined {
    return this.#pods.get(uid);
  }

  all(): Iterable<Pod> {
    return this.#pods.values();
  }

  take({ kind, type, object }: Change): void {
    if (kind.name !== pods.name) return;
    if (type === "removed") this.#pods.delete(object.metadata.uid);
    else this.#pods.set(object.metadata.uid, object as Pod);
  }

  /** The control plane has started on what was durable. */
  restart(store: Store): void {
    this.#pods.clear();
    for (const pod of store.list(pods)) this.#pods.set(pod.metadata.uid, pod);
  }
}

export interface PodChange {
  readonly change: Change;
  readonly before: Pod | undefined;
  /** Undefined once it is removed. */
  readonly after: Pod | undefined;
}

export function podChanges(changes: readonly Change[]): readonly PodChange[] {
  return changes
    .filter(({ kind }) => kind.name === pods.name)
    .map((change) => ({
      change,
      before: change.before as Pod | undefined,
      after: change.type === "removed" ? undefined : (change.object as Pod),
    }));
}

/** The scheduler gave it a node in this change. Pods that came with a node are their user's own doing. */
export function isBinding({ before, after }: PodChange): boolean {
  return before !== undefined && before.spec.nodeName === undefined && after?.spec.nodeName !== undefined;
}

/** Holds room on its node. */
export function nodeHeldBy(pod: Pod | undefined): string | undefined {
  return pod === undefined || isTerminal(pod) ? undefined : pod.spec.nodeName;
}

/** `default/web-x (uid)`. */
export function podWords({ metadata: { namespace, name, uid } }: Pod): string {
  return `${namespace}/${name} (${uid})`;
}
