/**
 * How long pods take: from creation to a node, to being ready, and from a change of their readiness to the endpoints that say
 * so. Told by what is durable in the store, as this process sees it come; what was there before is not timed.
 */
import type { ServerMeters } from "../../metrics/server-metrics.ts";
import { type Endpoints, endpoints } from "../../model/endpoints.ts";
import { isReady, isTerminal, type Pod, pods } from "../../model/pod.ts";
import type { Clock } from "../../seams/clock.ts";
import type { Log } from "../../seams/log.ts";
import type { Store } from "../../store/store.ts";
import type { Change } from "../../store/transaction.ts";

/** A pod that no service picks changes no endpoints: after so long it is not waited for. */
const ENDPOINTS_MS = 60_000;
/** And never more than these: what comes beyond is not timed. */
const MOST_WAITING = 1_000;

interface Begun {
  readonly atMs: number;
  isBound: boolean;
}

interface Turned {
  readonly atMs: number;
  readonly isReady: boolean;
}

export class PodPaces {
  readonly #meters: ServerMeters;
  readonly #begun = new Map<string, Begun>();
  /** Readiness that endpoints have still to say, in order of time. */
  readonly #turned = new Map<string, Turned>();

  constructor(meters: ServerMeters) {
    this.#meters = meters;
  }

  /** Until `signal` aborts or the store ends. */
  async follow(store: Store, clock: Clock, log: Log, signal: AbortSignal): Promise<void> {
    let since = store.revision;
    while (!signal.aborted) {
      try {
        for await (const changes of store.watch({ kinds: [pods, endpoints], since, signal })) {
          const nowMs = clock.monotonic();
          for (const change of changes) this.take(change, nowMs);
        }
      } catch (error) {
        if ((error as { reason?: unknown }).reason !== "Expired") {
          log.debug("pods are not timed any more", { error: (error as Error).message });
          return;
        }
        since = store.revision;
        this.#begun.clear();
        this.#turned.clear();
      }
    }
  }

  take(change: Change, nowMs: number): void {
    if (change.kind.name === pods.name) this.#takePod(change, nowMs);
    else this.#takeEndpoints(change, nowMs);
  }

  #takePod({ type, object, before }: Change, nowMs: number): void {
    const pod = object as Pod;
    const { uid } = pod.metadata;
    if (type === "added") this.#begun.set(uid, { atMs: nowMs, isBound: false });
    if (type === "removed" || isTerminal(pod)) {
      this.#begun.delete(uid);
      return;
    }
    const begun = this.#begun.get(uid);
    if (begun) this.#progress(pod, begun, nowMs);
    const was = before !== undefined && isReady(before as Pod);
    if (was !== isReady(pod) && pod.status.podIP !== undefined) this.#turn(uid, { atMs: nowMs, isReady: !was });
  }

  #progress(pod: Pod, begun: Begun, nowMs: number): void {
    const seconds = (nowMs - begun.atMs) / 1000;
    if (!begun.isBound && pod.spec.nodeName !== undefined) {
      begun.isBound = true;
      this.#meters.observe("styr_scheduling_duration_seconds", seconds);
    }
    if (!isReady(pod)) return;
    this.#meters.observe("styr_pod_start_duration_seconds", seconds);
    this.#begun.delete(pod.metadata.uid);
  }

  #turn(uid: string, turned: Turned): void {
    for (const [other, { atMs }] of this.#turned) {
      if (turned.atMs - atMs < ENDPOINTS_MS) break;
      this.#turned.delete(other);
    }
    this.#turned.delete(uid);
    if (this.#turned.size < MOST_WAITING) this.#turned.set(uid, turned);
  }

  #takeEndpoints({ type, object }: Change, nowMs: number): void {
    this.#meters.count("styr_endpoints_changes_total");
    if (type === "removed" || this.#turned.size === 0) return;
    for (const { addresses = [], notReadyAddresses = [] } of (object as Endpoints).subsets ?? []) {
      for (const { targetRef } of addresses) this.#said(targetRef?.uid, true, nowMs);
      for (const { targetRef } of notReadyAddresses) this.#said(targetRef?.uid, false, nowMs);
    }
  }

  #said(uid: string | undefined, ready: boolean, nowMs: number): void {
    const turned = uid === undefined ? undefined : this.#turned.get(uid);
    if (uid === undefined || turned?.isReady !== ready) return;
    this.#turned.delete(uid);
    this.#meters.observe("styr_network_programming_duration_seconds", (nowMs - turned.atMs) / 1000);
  }
}
