/** /styr/v1/settings: what a person has chosen about the whole cluster, and the defaults that are in force for the rest. */
import type { Route } from "../http/route.ts";
import { CLUSTER_NETWORK_NAME, clusterNetworks, networkInForce } from "../model/cluster-network.ts";
import {
  CLUSTER_SETTINGS_NAME,
  type ClusterSettings,
  type ClusterSettingsSpec,
  clusterSettings,
  DEFAULT_CLUSTER_SETTINGS,
  settingsInForce,
} from "../model/cluster-settings.ts";
import { ApiError } from "../model/errors.ts";
import type { SettingsReport } from "../model/reports.ts";
import { formatSetting, SETTING_NAMES, settingsProblem } from "../model/setting-names.ts";
import { recordEvent } from "../store/record-event.ts";
import type { Store } from "../store/store.ts";
import type { Reader, Tx } from "../store/transaction.ts";
import type { StyrApiContext } from "./context.ts";
import { type Options, optionsOf } from "./request-options.ts";

type Chosen = Partial<ClusterSettingsSpec>;

export function settingsRoutes({ store }: StyrApiContext): readonly Route[] {
  const path = "/styr/v1/settings";
  return [
    {
      method: "GET",
      path,
      access: { verb: "read", resource: "settings", reach: "own part" },
      handle: () => Response.json(settingsReport(store)),
    },
    {
      method: "PATCH",
      path,
      access: { verb: "admin", resource: "settings" },
      async handle(request, { actor }) {
        const wish = await optionsOf(request, Object.keys(DEFAULT_CLUSTER_SETTINGS));
        await changeSettings(store, wish, actor.name);
        return Response.json(settingsReport(store));
      },
    },
  ];
}

function settingsReport(reader: Reader): SettingsReport {
  const stored = reader.get(clusterSettings, CLUSTER_SETTINGS_NAME);
  const network = reader.get(clusterNetworks, CLUSTER_NETWORK_NAME);
  return {
    ...{ settings: settingsInForce(stored), chosen: stored?.spec ?? {} },
    ...(network ? { network: networkInForce(network) } : {}),
  };
}

/** Values by field; null takes back what was chosen. Refuses what cannot be meant, and then changes nothing. */
export async function changeSettings(store: Store, wish: Options, by: string): Promise<void> {
  await store.update((tx) => {
    const before = tx.get(clusterSettings, CLUSTER_SETTINGS_NAME);
    const wanted = Object.entries({ ...before?.spec, ...wish }).filter(([, value]) => value !== null);
    const spec = Object.fromEntries(wanted) as Chosen;
    const problem = settingsProblem({ ...DEFAULT_CLUSTER_SETTINGS, ...spec });
    if (problem !== undefined) throw new ApiError("BadRequest", problem);
    const after = write(tx, before, spec);
    for (const message of differences(before, after)) {
      recordEvent(tx, after, {
        type: "Normal",
        reason: "SettingsChanged",
        message: `${by} ${message}`,
        component: "api",
      });
    }
  });
}

function write(tx: Tx, before: ClusterSettings | undefined, spec: Chosen): ClusterSettings {
  if (before) return tx.update(clusterSettings, { ...before, spec });
  return tx.create<ClusterSettings>(clusterSettings, {
    apiVersion: clusterSettings.apiVersion,
    kind: "ClusterSettings",
    metadata: { name: CLUSTER_SETTINGS_NAME },
    spec,
  });
}

function differences(before: ClusterSettings | undefined, after: ClusterSettings): readonly string[] {
  const [old, now] = [settingsInForce(before), settingsInForce(after)];
  return SETTING_NAMES.filter(({ field }) => old[field] !== now[field]).map((setting) => {
    const [from, to] = [formatSetting(setting, old[setting.field]), formatSetting(setting, now[setting.field])];
    return `set ${setting.name} to ${to} (it was ${from})`;
  });
}
