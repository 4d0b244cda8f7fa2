/**
 * By which settings the lifecycle goes, and by which terms agents do: they are told of changed ones only with a heartbeat,
 * by us or by whoever ran before us, so an exclusive pod is not given away before the longest that any may have are over.
 */
import {
  CLUSTER_SETTINGS_NAME,
  type ClusterSettings,
  type ClusterSettingsSpec,
  clusterSettings,
  DEFAULT_CLUSTER_SETTINGS,
  settingsInForce,
} from "../../model/cluster-settings.ts";
import type { HeartbeatAnswer } from "../../model/heartbeat.ts";
import type { Store } from "../../store/store.ts";
import { exclusiveTermsMs, withTerms } from "./agent-terms.ts";

/** Made once, and given to everybody. */
export interface Answers {
  readonly renewed: HeartbeatAnswer;
  readonly refused: HeartbeatAnswer;
  readonly stranger: HeartbeatAnswer;
}

export class TermsInForce {
  #settings: ClusterSettingsSpec = DEFAULT_CLUSTER_SETTINGS;
  #answers: Answers = answersOf(DEFAULT_CLUSTER_SETTINGS);
  #floorMs = 0;
  /** Nobody may have been told longer terms than these: they are on the disk. */
  #termsMs = DEFAULT_CLUSTER_SETTINGS.exclusiveAfterMs;

  get settings(): ClusterSettingsSpec {
    return this.#settings;
  }

  get answers(): Answers {
    return this.#answers;
  }

  /** No exclusive pod is given away before: an agent may still go by longer terms. */
  get floorMs(): number {
    return this.#floorMs;
  }

  /** Agents are to be told longer ones than are on the disk. */
  get isUntold(): boolean {
    return this.#termsMs < this.#settings.exclusiveAfterMs;
  }

  take(stored: ClusterSettings | undefined, nowMs: number): void {
    const before = this.#settings;
    this.#settings = settingsInForce(stored);
    if (this.#settings.exclusiveAfterMs < before.exclusiveAfterMs) {
      this.#floorMs = Math.max(this.#floorMs, nowMs + before.exclusiveAfterMs);
    }
    this.#termsMs = exclusiveTermsMs(stored);
    // Longer ones are told when they are on the disk: who starts after us has to know what agents go by.
    const exclusiveAfterMs = Math.min(this.#settings.exclusiveAfterMs, this.#termsMs);
    this.#answers = answersOf({ ...this.#settings, exclusiveAfterMs });
  }

  /** An agent may go by the longest that are stored: it was told until the moment that whoever ran before us ended. */
  begin(nowMs: number): void {
    if (this.#termsMs > this.#settings.exclusiveAfterMs) this.#floorMs = nowMs + this.#termsMs;
  }

  /** The longest terms that an agent may go by: longer ones before anybody is told, shorter ones when nobody has others. */
  async write(store: Store, nowMs: number): Promise<void> {
    const before = nowMs < this.#floorMs ? this.#termsMs : 0;
    await store.update((tx) => {
      const stored = tx.get(clusterSettings, CLUSTER_SETTINGS_NAME);
      if (!stored) return;
      const termsMs = Math.max(before, settingsInForce(stored).exclusiveAfterMs);
      tx.update(clusterSettings, withTerms(stored, termsMs));
    });
  }
}

function answersOf({ heartbeatMs, exclusiveAfterMs, rebootGraceMs }: ClusterSettingsSpec): Answers {
  const terms = { heartbeatMs, exclusiveMs: exclusiveAfterMs, rebootGraceMs };
  return {
    renewed: { renewed: true, known: true, terms },
    refused: { renewed: false, known: true, terms },
    stranger: { renewed: false, known: false, terms },
  };
}
