/** GET /v2/queue: apps with instances that wait, for a place or for the end of a delay, and why. Pure but for what it reads. */
import { nodes } from "../../model/node.ts";
import type { Pod } from "../../model/pod.ts";
import type { Reader } from "../../store/transaction.ts";
import { remainingDelayMs } from "./backoff.ts";
import { visibleApps } from "./deploy.ts";
import { type Instance, instanceOf, isActive } from "./instance.ts";
import type { App } from "./kinds.ts";
import { declinedBy, type RejectReason, rejectSummary } from "./reject-summary.ts";
import { timestamp } from "./timestamp.ts";
import { viewOf } from "./view.ts";

export interface QueueOptions {
  readonly nowMs: number;
  readonly lastUnusedOffers: boolean;
}

/** No `role`: a common client's model of an entry refuses it (specification 4.2). */
export function queueEntries(reader: Reader, options: QueueOptions): readonly object[] {
  const nodeNames = reader.list(nodes).map(({ metadata }) => metadata.name);
  return visibleApps(reader).flatMap((app) => entryFor(reader, app, nodeNames, options) ?? []);
}

/** Per app: every node refuses every app, and a client wants to see how, not all of them. */
const MOST_OFFERS = 100;

/** Launches of this app are held back by a delay. */
export function isDelayed(app: App, nowMs: number): boolean {
  return app.spec.active !== undefined && remainingDelayMs(app.spec.active, app.status.backoff, nowMs) > 0;
}

function entryFor(
  reader: Reader,
  app: App,
  nodeNames: readonly string[],
  { nowMs, lastUnusedOffers }: QueueOptions,
): object | undefined {
  const { definition, active } = app.spec;
  const instances = viewOf(reader)
    .podsOf(app)
    .map((pod) => instanceOf(pod, definition));
  const waiting = instances.filter(({ condition }) => condition === "Scheduled");
  const missing = active ? Math.max(0, active.instances - instances.filter(isActive).length) : 0;
  const count = waiting.length + missing;
  if (count === 0) return undefined;
  const leftMs = active ? remainingDelayMs(active, app.status.backoff, nowMs) : 0;
  // Nothing was asked of any node while the next launch is delayed.
  const refused = leftMs > 0 ? new Map<RejectReason, number>() : refusals(waiting);
  return {
    app: definition,
    count,
    delay: { timeLeftSeconds: Math.ceil(leftMs / 1000), overdue: leftMs === 0 },
    since: timestamp(Math.min(...waiting.map(({ stagedAtMs }) => stagedAtMs), app.status.backoff?.failedAtMs ?? nowMs)),
    processedOffersSummary: summary(refused, nodeNames.length, nowMs),
    ...(lastUnusedOffers ? { lastUnusedOffers: unusedOffers(refused, nodeNames, nowMs) } : {}),
  };
}

/** By the first instance that a scheduler has refused: all of one app are refused alike. */
function refusals(waiting: readonly Instance[]): ReadonlyMap<RejectReason, number> {
  const message = waiting.map(({ pod }) => refusalOf(pod)).find((words) => words !== undefined);
  return message === undefined ? new Map() : declinedBy(message);
}

/** The scheduler's sentence about a pod it found no place for. */
function refusalOf({ status }: Pod): string | undefined {
  const condition = status.conditions?.find(({ type, status }) => type === "PodScheduled" && status === "False");
  return condition?.message;
}

function summary(refused: ReadonlyMap<RejectReason, number>, nodeCount: number, nowMs: number): object {
  const counts = refused.size === 0 ? [] : rejectSummary(refused, nodeCount);
  const unused = counts.reduce((sum, { declined }) => sum + declined, 0);
  return {
    processedOffersCount: refused.size === 0 ? 0 : nodeCount,
    unusedOffersCount: unused,
    ...(unused > 0 ? { lastUnusedOfferAt: timestamp(nowMs) } : {}),
    rejectSummaryLastOffers: counts,
    rejectSummaryLaunchAttempt: counts,
  };
}

/** Nodes refuse here, not offers: each node stands for the one offer it would have made. */
function unusedOffers(refused: ReadonlyMap<RejectReason, number>, nodeNames: readonly string[], nowMs: number) {
  const reasons = [...refused.keys()];
  if (reasons.length === 0) return [];
  return nodeNames.slice(0, MOST_OFFERS).map((name) => ({
    offer: { id: name, agentId: name, hostname: name, resources: [], attributes: [] },
    timestamp: timestamp(nowMs),
    reason: reasons,
  }));
}
