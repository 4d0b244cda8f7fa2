import { type Kind, keyOf, type StoredObject } from "../model/meta.ts";
import type { Pod } from "../model/pod.ts";
import type { DeclaredWorkload, WorkloadReader, WorkloadSource } from "../model/workload.ts";

/** The default source: any kind whose objects have `spec.replicas`, as Kubernetes' workload kinds do. */
export function replicatedSource(dialect: string, kinds: readonly Kind[]): WorkloadSource {
  const list = (reader: WorkloadReader) =>
    kinds.flatMap((kind) => reader.list(kind).flatMap((object) => replicated(dialect, object)));
  return { dialect, kinds, list };
}

function replicated(dialect: string, object: StoredObject): readonly DeclaredWorkload[] {
  const { replicas, template } = (object as { spec?: { replicas?: unknown; template?: Pod } }).spec ?? {};
  if (typeof replicas !== "number") return [];
  const { name, namespace, uid, creationTimestamp } = object.metadata;
  return [
    {
      dialect,
      kind: object.kind,
      name,
      ...(namespace === undefined ? {} : { namespace }),
      uid,
      key: keyOf(object),
      desired: replicas,
      createdAt: creationTimestamp,
      ...(template?.spec ? { what: template.spec.containers.map(({ image }) => image ?? "").join(", ") } : {}),
      canScale: true,
    },
  ];
}
