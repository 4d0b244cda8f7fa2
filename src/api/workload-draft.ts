import { keyOf } from "../model/meta.ts";
import type { Pod } from "../model/pod.ts";
import { ANNOTATION } from "../model/well-known.ts";
import type { Workload, WorkloadPod } from "../model/workload.ts";

/** A workload and its copies, of which a row is made when it is asked for. */
export class WorkloadDraft {
  readonly dialect: string;
  readonly kind: string;
  readonly name: string;
  readonly namespace?: string;
  readonly #members: readonly Pod[];
  readonly #rowOf: (members: readonly Pod[]) => Workload;

  constructor(
    identity: Pick<Workload, "dialect" | "kind" | "name" | "namespace">,
    members: readonly Pod[],
    rowOf: (members: readonly Pod[]) => Workload,
  ) {
    this.dialect = identity.dialect;
    this.kind = identity.kind;
    this.name = identity.name;
    if (identity.namespace !== undefined) this.namespace = identity.namespace;
    this.#members = members;
    this.#rowOf = rowOf;
  }

  /** The copies' names. */
  get pods(): readonly Pick<WorkloadPod, "key" | "instance">[] {
    return this.#sorted().map((pod) => {
      const instance = pod.metadata.annotations?.[ANNOTATION.instance];
      return { key: keyOf(pod), ...(instance === undefined ? {} : { instance }) };
    });
  }

  row(): Workload {
    return this.#rowOf(this.#sorted());
  }

  /** By key, each once. */
  #sorted(): readonly Pod[] {
    const byKey = new Map(this.#members.map((pod) => [keyOf(pod), pod]));
    return [...byKey].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, pod]) => pod);
  }
}
