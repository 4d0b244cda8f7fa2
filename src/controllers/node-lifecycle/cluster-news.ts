import { CLUSTER_SETTINGS_NAME, type ClusterSettings, clusterSettings } from "../../model/cluster-settings.ts";
import type { Log } from "../../seams/log.ts";
import { recordEvent } from "../../store/record-event.ts";
import type { Store } from "../../store/store.ts";

interface News {
  readonly type: "Normal" | "Warning";
  readonly reason: string;
  readonly message: string;
}

/** What is to be said about the cluster as a whole: in the log at once, as events when they can be written. */
export class ClusterNews {
  readonly #log: Log;
  #waiting: readonly News[] = [];

  constructor(log: Log) {
    this.#log = log;
  }

  add(type: News["type"], reason: string, message: string): void {
    this.#log.warn(message, { reason });
    this.#waiting = [...this.#waiting, { type, reason, message }];
  }

  /** Rejects when it could not be written: it waits for the next time. */
  async write(store: Store): Promise<void> {
    const told = this.#waiting;
    await store.update((tx) => {
      const about = tx.get(clusterSettings, CLUSTER_SETTINGS_NAME) ?? THE_CLUSTER;
      for (const one of told) recordEvent(tx, about, { ...one, component: "node-lifecycle" });
    });
    this.#waiting = this.#waiting.slice(told.length);
  }
}

/** What events about the cluster are about while nobody has chosen any settings. */
const THE_CLUSTER: ClusterSettings = {
  apiVersion: clusterSettings.apiVersion,
  kind: "ClusterSettings",
  metadata: {
    name: CLUSTER_SETTINGS_NAME,
    uid: CLUSTER_SETTINGS_NAME,
    resourceVersion: "",
    generation: 1,
    creationTimestamp: "",
  },
  spec: {},
};
