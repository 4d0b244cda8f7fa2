/** Which workload a row is about: its identity across changes. */
import type { Workload } from "../model/workload.ts";

type Identity = Pick<Workload, "dialect" | "kind" | "name" | "namespace">;

export function idOf({ dialect, kind, name, namespace }: Identity) {
  return [dialect, kind, namespace ?? "", name].join("\n");
}

/** The other way round than idOf. */
export function identified(id: string): Identity {
  const [dialect = "", kind = "", namespace = "", name = ""] = id.split("\n");
  return { dialect, kind, name, ...(namespace === "" ? {} : { namespace }) };
}
