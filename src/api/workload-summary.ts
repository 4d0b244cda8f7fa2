/** All copies of a workload in one row: how many, how they are, and the worst that is to be said of them. Pure. */
import type { Workload, WorkloadPod, WorkloadStatus } from "../model/workload.ts";

export type Summary = Pick<Workload, "desired" | "ready" | "status" | "nodes" | "since" | "urls" | "error" | "pods">;

export function summary(views: readonly WorkloadPod[], desired: number, createdAt: string): Summary {
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
