/** What the lifecycle hears of the store: nodes, pods and settings, at the start and as they change. */
import { CLUSTER_SETTINGS_NAME, clusterSettings } from "../../model/cluster-settings.ts";
import { ApiError } from "../../model/errors.ts";
import { keyOf } from "../../model/meta.ts";
import { nodes } from "../../model/node.ts";
import { type Pod, pods } from "../../model/pod.ts";
import { NODE_LABEL } from "../../model/well-known.ts";
import type { Clock } from "../../seams/clock.ts";
import type { Log } from "../../seams/log.ts";
import type { Store } from "../../store/store.ts";
import type { Change } from "../../store/transaction.ts";
import type { Adoption } from "./adoption.ts";
import type { HeldNodes } from "./held-nodes.ts";
import type { Leases } from "./leases.ts";
import type { Looks } from "./looks.ts";
import type { MissingNodes } from "./missing-nodes.ts";

export interface StoreFollowerParts {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
  readonly signal: AbortSignal;
  readonly leases: Leases;
  readonly adoption: Adoption;
  readonly held: HeldNodes;
  readonly missing: MissingNodes;
  readonly looks: Looks;
  /** The stored settings have changed, or may have. */
  readonly takeSettings: (nowMs: number) => void;
}

export class StoreFollower {
  readonly #parts: StoreFollowerParts;

  constructor(parts: StoreFollowerParts) {
    this.#parts = parts;
  }

  load(): void {
    const { store, clock } = this.#parts;
    const nowMs = clock.monotonic();
    for (const { metadata } of store.list(nodes)) this.#guarded(metadata.name, (name) => this.#followNode(name, nowMs));
    for (const pod of store.list(pods)) this.#guarded(keyOf(pod), () => this.#followPod(pod, nowMs));
  }

  /** Until the signal is given, or the store is closed. */
  async watch(): Promise<void> {
    const { store, signal } = this.#parts;
    const kinds = [nodes, pods, clusterSettings];
    let since = store.revision;
    while (!signal.aborted) {
      try {
        for await (const changes of store.watch({ kinds, since, signal })) {
          for (const change of changes) this.#guarded(change.key, () => this.#follow(change));
          since = changes.at(-1)?.revision ?? since;
        }
      } catch (error) {
        if (error instanceof ApiError && error.reason === "Unavailable") return;
        if (!(error instanceof ApiError && error.reason === "Expired")) throw error;
        since = store.revision;
        this.#reload();
      }
    }
  }

  /** One object that cannot be read must not stop the others. */
  #guarded(key: string, follow: (key: string) => void): void {
    try {
      follow(key);
    } catch (error) {
      this.#parts.log.error("cannot be read, and is left alone", { object: key, error: String(error) });
    }
  }

  /** More has changed than the store looks back on: also what was taken away has to be noticed. */
  #reload(): void {
    const { clock, leases, takeSettings } = this.#parts;
    const nowMs = clock.monotonic();
    takeSettings(nowMs);
    for (const { node } of [...leases.values()]) this.#followNode(node, nowMs);
    this.load();
  }

  #follow({ kind, key, object }: Change): void {
    const { clock, takeSettings } = this.#parts;
    const nowMs = clock.monotonic();
    if (kind.name === nodes.name) this.#followNode(key, nowMs);
    else if (kind.name === pods.name) this.#followPod(object as Pod, nowMs);
    else if (key === CLUSTER_SETTINGS_NAME) takeSettings(nowMs);
  }

  #followNode(name: string, nowMs: number): void {
    const { store, leases, adoption, held, missing, looks } = this.#parts;
    const node = store.get(nodes, name);
    const lease = leases.get(name);
    if (!node) {
      if (lease) this.#takeOut(name, nowMs);
      return;
    }
    missing.found(name);
    const known = lease ?? adoption.adopt(node, nowMs);
    known.zone = node.metadata.labels?.[NODE_LABEL.zone];
    // Whoever writes a whole node may have written over what the lease says of it.
    if (known.loss || held.isHeld(known, nowMs)) looks.touch(name);
  }

  #takeOut(name: string, nowMs: number): void {
    const { store, leases, held, missing } = this.#parts;
    leases.remove(name);
    held.taken(name, nowMs);
    if (store.by(pods, "node", name).length > 0) missing.miss(name, nowMs);
  }

  #followPod(pod: Pod, nowMs: number): void {
    const { store, leases, missing, looks } = this.#parts;
    const name = pod.spec.nodeName;
    if (!name) return;
    const lease = leases.get(name);
    if (!lease) {
      if (!store.get(nodes, name)) missing.miss(name, nowMs);
    } else if (lease.loss || lease.returnedUntilMs !== undefined) looks.touch(name);
  }
}
