/** The versions of an app: one object each, because an app's own object changes with every failure of a task. */
import type { Reader, Tx } from "../../store/transaction.ts";
import type { AppDefinition } from "./app-definition.ts";
import { API_VERSION, appKey, appVersions, NAMESPACE } from "./kinds.ts";

/** Marathon's zk_max_versions. */
const MOST_VERSIONS = 50;

/** Oldest first (versions are times, so their order is that of text). */
export function versionsOf(reader: Reader, name: string): readonly AppDefinition[] {
  return reader
    .by(appVersions, "app", name)
    .map(({ spec }) => spec.definition)
    .toSorted((a, b) => (a.version < b.version ? -1 : 1));
}

export function writeVersion(tx: Tx, name: string, definition: AppDefinition): void {
  tx.create(appVersions, {
    apiVersion: API_VERSION,
    kind: "AppVersion",
    metadata: { name: `${name}@${definition.version}`, namespace: NAMESPACE },
    spec: { definition },
  });
  const all = versionsOf(tx, name);
  for (const { version } of all.slice(0, Math.max(0, all.length - MOST_VERSIONS))) {
    tx.remove(appVersions, appKey(`${name}@${version}`));
  }
}

export function forgetVersions(tx: Tx, name: string): void {
  for (const { version } of versionsOf(tx, name)) tx.remove(appVersions, appKey(`${name}@${version}`));
}
