/** The row of a workload with its copies, whether somebody declares it or only its pods are left. Pure. */
import { keyOf } from "../model/meta.ts";
import type { Node } from "../model/node.ts";
import { isLive, isTerminal, type Pod } from "../model/pod.ts";
import type { DeclaredWorkload, Workload, WorkloadPod } from "../model/workload.ts";
import { podView, podWhat } from "./pod-view.ts";
import { identified } from "./workload-id.ts";
import { type Summary, summary } from "./workload-summary.ts";

const LONGEST_WHAT = 300;
const NOWHERE = { status: "unplaced", error: "it runs once on every node that suits it, and none does" } as const;

export function declaredRow(
  declared: DeclaredWorkload,
  members: readonly Pod[],
  byNode: ReadonlyMap<string, Node>,
): Workload {
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

export function undeclaredRow(
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

function newest(members: readonly Pod[]): Pod {
  return members.reduce((a, b) => (b.metadata.creationTimestamp > a.metadata.creationTimestamp ? b : a));
}
