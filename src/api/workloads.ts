/** Rows of `styr ps`: what the dialects declare, joined with the pods that stand for it. Knows no dialect. */
import { controllerOf } from "../model/meta.ts";
import { type Node, nodes } from "../model/node.ts";
import { type Pod, pods } from "../model/pod.ts";
import { ANNOTATION } from "../model/well-known.ts";
import type { DeclaredWorkload, Workload, WorkloadReader, WorkloadSource } from "../model/workload.ts";
import type { Clock } from "../seams/clock.ts";
import type { Store } from "../store/store.ts";
import { slices } from "./slices.ts";
import { WorkloadDraft } from "./workload-draft.ts";
import { identified, idOf } from "./workload-id.ts";
import { declaredRow, undeclaredRow } from "./workload-row.ts";

/** All workloads, sorted by name, then dialect, then namespace. Pure in what it reads. */
export function listWorkloads(reader: WorkloadReader, sources: readonly WorkloadSource[]): readonly Workload[] {
  const groups = new Groups(reader, sources);
  for (const pod of reader.list(pods)) groups.add(pod);
  return groups.drafts().map((draft) => draft.row());
}

/** The same of a store of any size, in slices. */
export async function workloadRows(store: Store, sources: readonly WorkloadSource[], clock: Clock) {
  const rows: Workload[] = [];
  for await (const row of eachWorkload(store, sources, clock)) rows.push(row);
  return rows;
}

/** One after the other, for who does not need them all at once. */
export async function* eachWorkload(store: Store, sources: readonly WorkloadSource[], clock: Clock) {
  const slice = slices(clock);
  for (const draft of await draftWorkloads(store, sources, clock)) {
    yield draft.row();
    await slice();
  }
}

/** What workloads there are, in their order, before any is looked at. In slices. */
export async function draftWorkloads(store: Store, sources: readonly WorkloadSource[], clock: Clock) {
  const slice = slices(clock);
  const groups = new Groups(store, sources);
  for (const pod of store.scan(pods)) {
    groups.add(pod);
    await slice();
  }
  return groups.drafts();
}

/** Pods by what they are copies of. */
class Groups {
  readonly #declared: readonly DeclaredWorkload[];
  readonly #dialects: ReadonlySet<string>;
  readonly #byNode: ReadonlyMap<string, Node>;
  readonly #byUid: ReadonlyMap<string, string>;
  readonly #byName: ReadonlyMap<string, string>;
  readonly #claimed = new Map<string, Pod[]>();
  /** Pods that no declaration claims, by the id of the row they make. */
  readonly #alone = new Map<string, Pod[]>();

  constructor(reader: WorkloadReader, sources: readonly WorkloadSource[]) {
    const declared = sources.flatMap((source) => source.list(reader));
    this.#declared = declared;
    this.#dialects = new Set(sources.map(({ dialect }) => dialect));
    this.#byNode = new Map(reader.list(nodes).map((node) => [node.metadata.name, node]));
    this.#byUid = new Map(declared.map((workload) => [workload.uid, idOf(workload)]));
    this.#byName = new Map(declared.map((workload) => [`${workload.dialect}\n${workload.name}`, idOf(workload)]));
  }

  add(pod: Pod): void {
    const owner = controllerOf(pod);
    const { dialect, name } = annotated(pod);
    const claimed =
      (owner && this.#byUid.get(owner.uid)) ??
      (name === undefined ? undefined : this.#byName.get(`${dialect}\n${name}`));
    if (claimed === undefined) push(this.#alone, undeclaredId(pod), pod);
    else push(this.#claimed, claimed, pod);
  }

  drafts(): readonly WorkloadDraft[] {
    const drafts = this.#declared.map((declared) => {
      const members = this.#claimed.get(idOf(declared)) ?? [];
      return new WorkloadDraft(declared, members, (sorted) => declaredRow(declared, sorted, this.#byNode));
    });
    for (const [id, members] of this.#alone) {
      const rowOf = (sorted: readonly Pod[]) => undeclaredRow(id, sorted, this.#byNode, this.#dialects);
      drafts.push(new WorkloadDraft(identified(id), members, rowOf));
    }
    return drafts.sort(byName);
  }
}

function annotated(pod: Pod): { readonly dialect: string; readonly name: string | undefined } {
  const annotations = pod.metadata.annotations;
  return { dialect: annotations?.[ANNOTATION.dialect] ?? "kubernetes", name: annotations?.[ANNOTATION.workload] };
}

/** Pods that outlive their declaration stay together under the name it had; a pod of its own is its own workload. */
function undeclaredId(pod: Pod): string {
  const { dialect, name } = annotated(pod);
  const owner = controllerOf(pod);
  const namespace = dialect === "kubernetes" ? pod.metadata.namespace : undefined;
  const kind = owner?.kind ?? (dialect === "kubernetes" ? "Pod" : "Workload");
  return idOf({
    dialect,
    kind,
    name: name ?? owner?.name ?? pod.metadata.name,
    ...(namespace === undefined ? {} : { namespace }),
  });
}

type Named = Pick<Workload, "name" | "dialect" | "namespace">;

function byName(a: Named, b: Named): number {
  return compare(a.name, b.name) || compare(a.dialect, b.dialect) || compare(a.namespace ?? "", b.namespace ?? "");
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function push<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const list = map.get(key);
  if (list) list.push(value);
  else map.set(key, [value]);
}
