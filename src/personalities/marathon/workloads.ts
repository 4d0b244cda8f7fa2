import type { DeclaredWorkload, WorkloadSource } from "../../model/workload.ts";
import { type App, appKey, apps, isVisible, NAMESPACE } from "./kinds.ts";

/** Apps as rows of `styr ps`. */
export const appWorkloads: WorkloadSource = {
  dialect: "marathon",
  kinds: [apps],
  list: (reader) => reader.list(apps, NAMESPACE).filter(isVisible).map(declared),
};

function declared({ metadata, spec: { definition }, status }: App): DeclaredWorkload {
  const command = definition.cmd ?? definition.args?.join(" ");
  const what = definition.container?.docker?.image ?? command;
  return {
    dialect: "marathon",
    kind: "App",
    name: definition.id,
    uid: metadata.uid,
    key: appKey(metadata.name),
    desired: definition.instances,
    createdAt: metadata.creationTimestamp,
    ...(what === undefined ? {} : { what }),
    canScale: true,
    relaunch: {
      delaySeconds: Math.round(status.backoff?.delaySeconds ?? 0),
      since: definition.versionInfo.lastConfigChangeAt,
    },
    ...(definition.instances === 0 ? { note: "scaled to 0" } : {}),
  };
}
