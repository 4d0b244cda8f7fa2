import {
  CLUSTER_SETTINGS_NAME,
  type ClusterSettings,
  type ClusterSettingsSpec,
  clusterSettings,
  settingsInForce,
} from "../../model/cluster-settings.ts";
import type { Store } from "../../store/store.ts";
import type { Change } from "../../store/transaction.ts";

/** The cluster's settings, and those before them: a decision may have been made just before they changed. */
export class SettingsBook {
  #before: ClusterSettingsSpec = settingsInForce(undefined);
  #now: ClusterSettingsSpec = settingsInForce(undefined);

  restart(store: Store): void {
    this.#set(settingsInForce(store.get(clusterSettings, CLUSTER_SETTINGS_NAME)));
  }

  take(changes: readonly Change[]): void {
    for (const { kind, type, object } of changes)
      if (kind.name === clusterSettings.name)
        this.#set(settingsInForce(type === "removed" ? undefined : (object as ClusterSettings)));
  }

  /** The smaller of what is in force and what was before. */
  least(field: NumberSetting): number {
    return Math.min(this.#before[field], this.#now[field]);
  }

  most(field: NumberSetting): number {
    return Math.max(this.#before[field], this.#now[field]);
  }

  #set(next: ClusterSettingsSpec): void {
    this.#before = this.#now;
    this.#now = next;
  }
}

type NumberSetting = {
  [Field in keyof ClusterSettingsSpec]: ClusterSettingsSpec[Field] extends number ? Field : never;
}[keyof ClusterSettingsSpec];
