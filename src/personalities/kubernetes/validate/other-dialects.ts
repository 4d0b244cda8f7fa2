/** What only the controllers of other dialects write on pods: anybody else's would take their names, and ports of every host. */
import { dialectOfApi } from "../../../model/dialect.ts";
import type { ObjectMeta } from "../../../model/meta.ts";
import type { PodSpec } from "../../../model/pod.ts";
import { ANNOTATION } from "../../../model/well-known.ts";
import { type FieldError, notAllowed } from "./field-errors.ts";

interface PodLike {
  readonly metadata?: Partial<ObjectMeta> | undefined;
  readonly spec?: PodSpec | undefined;
}

/** What is there already may stay. `path`: of the pod (template), with its dot. */
export function reservedForDialects(after: PodLike, before: PodLike | undefined, path = ""): readonly FieldError[] {
  return [
    ...annotations(after.metadata, before?.metadata, `${path}metadata.annotations`),
    ...owners(after.metadata, before?.metadata, `${path}metadata.ownerReferences`),
    ...servicePorts(after.spec, before?.spec, `${path}spec`),
  ];
}

function annotations(after: PodLike["metadata"], before: PodLike["metadata"], path: string): readonly FieldError[] {
  return Object.values(ANNOTATION)
    .filter((key) => {
      const value = after?.annotations?.[key];
      return value !== undefined && value !== before?.annotations?.[key];
    })
    .map((key) => notAllowed(`${path}[${key}]`, "is written by Marathon apps and fleet units alone"));
}

function owners(after: PodLike["metadata"], before: PodLike["metadata"], path: string): readonly FieldError[] {
  const known = new Set(before?.ownerReferences?.map(({ uid }) => uid));
  return (after?.ownerReferences ?? []).flatMap(({ apiVersion, uid }, at) =>
    dialectOfApi(apiVersion) === undefined || known.has(uid)
      ? []
      : [notAllowed(`${path}[${at}]`, `pods of ${apiVersion} are made by their own controller alone`)],
  );
}

function servicePorts(after: PodSpec | undefined, before: PodSpec | undefined, path: string): readonly FieldError[] {
  return (["containers", "initContainers"] as const).flatMap((field) =>
    (after?.[field] ?? []).flatMap(({ name, ports = [] }, at) => {
      const old = before?.[field]?.find((each) => each.name === name)?.ports ?? [];
      const known = new Set(old.map(({ servicePort }) => servicePort));
      return ports.flatMap(({ servicePort }, n) =>
        !servicePort || known.has(servicePort)
          ? []
          : [notAllowed(`${path}.${field}[${at}].ports[${n}].servicePort`, WHY_NO_SERVICE_PORT)],
      );
    }),
  );
}

const WHY_NO_SERVICE_PORT =
  "is Marathon's: a port of every host is a Service of type NodePort, or `servicePort` of an app";
