/** Scaling and deleting, said to each workload's own dialect: the server's dialects are the only place that knows what that means. */

import { isTemplate, parseUnitName } from "../../model/unit/unit-name.ts";
import type { Workload } from "../../model/workload.ts";
import { ClientError } from "../client-error.ts";
import type { Connection } from "../connection.ts";
import { deleteUnit, putUnit } from "./fleet.ts";
import { deleteObject, type KubernetesObject, mergeObject } from "./kubernetes.ts";
import { deleteMarathon, replaceMarathon } from "./marathon.ts";

type Named = Pick<Workload, "dialect" | "kind" | "name" | "namespace" | "object">;

export async function scaleWorkload(connection: Connection, workload: Named, copies: number): Promise<void> {
  const { dialect, kind, name } = workload;
  if (dialect === "fleet") {
    if (copies > 1) {
      const next = `styr apply ${instanceHint(name)}`;
      throw new ClientError(`a unit runs once; several copies are instances of a template`, { next });
    }
    const { suffix } = parseUnitName(name);
    if (copies > 0 && suffix !== "service")
      throw new ClientError(`${name} cannot be started: a .${suffix} unit is kept and not executed`);
    if (copies > 0 && isTemplate(name)) {
      const next = `styr apply ${instanceHint(name)}`;
      throw new ClientError(`${name} is a template: its instances run`, { next });
    }
    await putUnit(connection, { name, desiredState: copies === 0 ? "inactive" : "launched" });
  } else if (dialect === "marathon") {
    await replaceMarathon(connection, "App", name, { instances: copies });
  } else if (kind === "Pod") {
    throw new ClientError(`${name} is a pod of its own: it cannot be scaled, only a controller can`);
  } else {
    await mergeObject(connection, objectOf(workload), { spec: { replicas: copies } });
  }
}

function instanceHint(name: string): string {
  const stem = name.replace(/@.*$/, "").replace(/\.service$/, "");
  return `${stem}@1.service ${stem}@2.service`;
}

/** False when it was gone already. */
export async function deleteWorkload(connection: Connection, workload: Named, graceSeconds?: number): Promise<boolean> {
  const { dialect, name } = workload;
  if (dialect === "fleet") return deleteUnit(connection, name);
  if (dialect === "marathon") return deleteMarathon(connection, "App", name);
  return deleteObject(connection, objectOf(workload), graceSeconds);
}

function objectOf({ kind, name, namespace }: Named): KubernetesObject {
  const metadata = { name, ...(namespace === undefined ? {} : { namespace }) };
  return { apiVersion: API_VERSION[kind] ?? "v1", kind, metadata };
}

const API_VERSION: Readonly<Record<string, string>> = {
  Deployment: "apps/v1",
  ReplicaSet: "apps/v1",
  DaemonSet: "apps/v1",
  StatefulSet: "apps/v1",
  Job: "batch/v1",
  CronJob: "batch/v1",
};
