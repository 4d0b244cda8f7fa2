import { keyOf } from "../model/meta.ts";
import type { Pod } from "../model/pod.ts";
import {
  MOST_UNLISTED_NAMED,
  type UnlistedPod,
  type UnlistedReport,
  type UnlistedThings,
} from "../model/restoration.ts";
import { isExclusive } from "../model/when-unreachable.ts";

export const WAITS_FOR_CONFIRM =
  "not started: the control plane was restored from a backup, there may be one copy only, and another one may be running: " +
  "styr restore status, then styr restore confirm";

/**
 * What this node does while the control plane's store is one restored from a backup, and nobody has said yet that it is to be
 * believed: pods that it does not list go on, and pods that may run once only, and do not run here, wait.
 */
export class Unlisted {
  #isHeld = false;
  readonly #kept = new Map<string, Pod>();
  readonly #waiting = new Map<string, Pod>();

  get isHeld(): boolean {
    return this.#isHeld;
  }

  /** With every answer that says all that is assigned. */
  begin(isHeld: boolean): void {
    this.#isHeld = isHeld;
    this.#kept.clear();
    this.#waiting.clear();
  }

  keep(pod: Pod): void {
    this.#kept.set(pod.metadata.uid, pod);
  }

  /** Whether a pod that does not run here has to wait: its successor may be running somewhere, unknown. */
  mustWait(pod: Pod): boolean {
    const waits = this.#isHeld && isExclusive(pod) && pod.metadata.deletionTimestamp === undefined;
    if (waits) this.#waiting.set(pod.metadata.uid, pod);
    else this.#waiting.delete(pod.metadata.uid);
    return waits;
  }

  /** It is gone, or assigned after all. */
  forget(uid: string): void {
    this.#kept.delete(uid);
    this.#waiting.delete(uid);
  }

  /** Undefined while nothing is held. `strangers`: pods of which only containers are known. */
  report(strangers: readonly string[], network: readonly UnlistedThings[] = []): UnlistedReport | undefined {
    if (!this.#isHeld) return undefined;
    const kept: readonly UnlistedPod[] = [
      ...[...this.#kept.values()].toSorted(byName).map(unlistedPod),
      ...strangers.filter((uid) => !this.#kept.has(uid)).map((uid) => ({ uid })),
    ];
    const waiting = [...this.#waiting.values()].toSorted(byName).map(keyOf);
    return {
      kept: kept.length,
      keptPods: kept.slice(0, MOST_UNLISTED_NAMED),
      waiting: waiting.length,
      waitingPods: waiting.slice(0, MOST_UNLISTED_NAMED),
      ...(network.length === 0 ? {} : { network }),
    };
  }
}

function unlistedPod(pod: Pod): UnlistedPod {
  return { key: keyOf(pod), uid: pod.metadata.uid, since: pod.metadata.creationTimestamp };
}

function byName(a: Pod, b: Pod): number {
  const [first, second] = [`${keyOf(a)} ${a.metadata.uid}`, `${keyOf(b)} ${b.metadata.uid}`];
  return first < second ? -1 : 1;
}
