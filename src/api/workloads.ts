/** Rows of `styr ps`: what the dialects declare, joined with the pods that stand for it. Knows no dialect. */
import { controllerOf, type Kind, keyOf, type StoredObject } from "../model/meta.ts";
import { type Node, nodes } from "../model/node.ts";
import { isLive, isTerminal, type Pod, pods } from "../model/pod.ts";
import { ANNOTATION } from "../model/well-known.ts";
import type {
  DeclaredWorkload,
  Workload,
  WorkloadPod,
  WorkloadReader,
  WorkloadSource,
  WorkloadStatus,
} from "../model/workload.ts";
import type { Clock } from "../seams/clock.ts";
import type { Store } from "../store/store.ts";
import { podView, podWhat } from "./pod-view.ts";
import { slices } from "./slices.ts";

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

/** Identity of a row across changes. */
export function idOf({ dialect, kind, name, namespace }: Pick<Workload, "dialect" | "kind" | "name" | "namespace">) {
  return [dialect, kind, namespace ?? "", name].join("\n");
}

const LONGEST_WHAT = 300;
const NOWHERE = { status: "unplaced", error: "it runs once on every node that suits it, and none does" } as const;

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
    return [...byKey].sort(([a], [b]) => compare(a, b)).map(([, pod]) => pod);
  }
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

/** The other way round than idOf. */
export function identified(id: string): Pick<Workload, "dialect" | "kind" | "name" | "namespace"> {
  const [dialect = "", kind = "", namespace = "", name = ""] = id.split("\n");
  return { dialect, kind, name, ...(namespace === "" ? {} : { namespace }) };
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

function declaredRow(declared: DeclaredWorkload, members: readonly Pod[], byNode: ReadonlyMap<string, Node>): Workload {
  const views = members.map((pod) => podView(pod, byNode.get(pod.spec.nodeName ?? "")));
  const counted = views.filter(({ status }) => status !== "stopping");
  const desired = declared.desired === "each node" ? counted.length : declared.desired;
  return {
    ...identity(declared),
    ...(declared.relaunch
      ? relaunchedSummary(declared, views, members, desired)
      : summary(views, desired, declared.createdAt)),
    // Zero copies of one per node is not "stopped": it waits for a node.
    ...(declared.desired === "each node" && views.length === 0 ? NOWHERE : {}),
    what: brief(members[0] ? podWhat(newest(members)) : (declared.what ?? "")),
    ...(declared.note === undefined ? {} : { note: declared.note }),
    canScale: declared.canScale,
    object: { kind: declared.kind, key: declared.key },
  };
}

/** Ended copies are kept for their logs only where others follow them: the row is about those that are to run. */
function relaunchedSummary(
  { relaunch, createdAt }: DeclaredWorkload,
  views: readonly WorkloadPod[],
  members: readonly Pod[],
  desired: number,
): Summary {
  const live = summary(
    views.filter((_, at) => !isOver(members[at])),
    desired,
    createdAt,
  );
  // Times of pods have whole seconds.
  const sinceSecond = relaunch?.since.slice(0, 19) ?? "";
  const ended = members.filter((pod) => isOver(pod) && pod.metadata.creationTimestamp >= sinceSecond);
  const all = { ...live, since: summary(views, desired, createdAt).since, pods: views };
  if (ended.length === 0 || !["starting", "degraded"].includes(live.status)) return all;
  const last = views[members.indexOf(newest(ended))]?.error ?? "exited with 0";
  const error = live.error ?? `relaunched after ${relaunch?.delaySeconds ?? 0} s; last run: ${last}`;
  return { ...all, status: live.status === "starting" ? "restarting" : live.status, error };
}

function isOver(pod: Pod | undefined): boolean {
  return pod !== undefined && isTerminal(pod) && pod.metadata.deletionTimestamp === undefined;
}

function undeclaredRow(
  id: string,
  members: readonly Pod[],
  byNode: ReadonlyMap<string, Node>,
  dialects: ReadonlySet<string>,
): Workload {
  const { dialect, kind, name, namespace } = identified(id);
  const views = members.map((pod) => podView(pod, byNode.get(pod.spec.nodeName ?? "")));
  // Left over from a declaration that is gone; but where nobody declares, pods are all that there is to know.
  const wanted = kind === "Pod" ? 1 : dialects.has(dialect) ? 0 : members.filter(isLive).length;
  const first = newest(members);
  return {
    dialect,
    kind,
    name,
    ...(namespace === undefined ? {} : { namespace }),
    ...summary(views, wanted, first.metadata.creationTimestamp),
    what: brief(podWhat(first)),
    canScale: false,
    object: { kind: "Pod", key: keyOf(first) },
  };
}

/** A row is for looking at; a command of megabytes is for `styr inspect`. */
function brief(text: string): string {
  return text.length <= LONGEST_WHAT ? text : `${text.slice(0, LONGEST_WHAT)}…`;
}

function identity({ dialect, kind, name, namespace }: DeclaredWorkload) {
  return { dialect, kind, name, ...(namespace === undefined ? {} : { namespace }) };
}

type Summary = Pick<Workload, "desired" | "ready" | "status" | "nodes" | "since" | "urls" | "error" | "pods">;

function summary(views: readonly WorkloadPod[], desired: number, createdAt: string): Summary {
  // Where enough others run, what is lost with its node is no trouble of the whole.
  const isWell = views.filter(({ status }) => status === "running").length >= desired;
  const error = worst(isWell ? views.filter(({ status }) => status !== "lost") : views)?.error;
  return {
    desired,
    ready: views.filter(({ ready }) => ready).length,
    status: overall(views, desired),
    nodes: [...new Set(views.flatMap(({ node }) => node ?? []))].sort(),
    since:
      views
        .map(({ since }) => since)
        .sort()
        .at(-1) ?? createdAt,
    urls: [...new Set(views.flatMap(({ urls }) => urls))],
    ...(error === undefined ? {} : { error }),
    pods: views,
  };
}

const WORST_FIRST: readonly WorkloadStatus[] = [
  "failed",
  "restarting",
  "lost",
  "unplaced",
  "pending",
  "starting",
  "stopping",
  "done",
  "stopped",
];

function worst(views: readonly WorkloadPod[]): WorkloadPod | undefined {
  for (const status of WORST_FIRST) {
    const found = views.find((view) => view.status === status && view.error !== undefined);
    if (found) return found;
  }
  return undefined;
}

/** One word for all copies. */
function overall(views: readonly Pick<WorkloadPod, "status">[], desired: number): WorkloadStatus {
  const has = (status: WorkloadStatus) => views.some((view) => view.status === status);
  const running = views.filter(({ status }) => status === "running").length;
  if (views.length === 0) return desired === 0 ? "stopped" : "starting";
  if (views.every(({ status }) => status === "stopping"))
    return desired === 0 || running === 0 ? "stopping" : "starting";
  // Nobody knows better: what is still there of what is not wanted any more is on its way out.
  if (desired === 0 && views.every(({ status }) => status === "stopping" || status === "lost")) return "stopping";
  if (running >= desired && running > 0) return "running";
  if (running > 0) return "degraded";
  const found = WORST_FIRST.find((status) => has(status) && status !== "stopping");
  // Loaded and soon to be started (a unit that is restarted).
  return found === undefined || (found === "stopped" && desired > 0) ? "starting" : found;
}

function newest(members: readonly Pod[]): Pod {
  return members.reduce((a, b) => (b.metadata.creationTimestamp > a.metadata.creationTimestamp ? b : a));
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
