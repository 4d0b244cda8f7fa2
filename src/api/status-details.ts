/** What `styr status` says beside its numbers: why pods wait, what is in trouble, what was warned of, what is about to end. */
import { type Event, events } from "../model/event.ts";
import { pods } from "../model/pod.ts";
import type { RecentWarning, StatusReport, TroubledWorkload } from "../model/reports.ts";
import type { Workload } from "../model/workload.ts";
import { refusalOf } from "../scheduling/bind-pod.ts";
import { type Clock, rfc3339 } from "../seams/clock.ts";
import type { Store } from "../store/store.ts";
import type { StyrApiContext } from "./context.ts";
import { slices } from "./slices.ts";

const MOST_REASONS = 3;
const MOST_ROWS = 5;
const RECENT_MS = 15 * 60_000;
/** They are renewed ten days before their end: at five, nobody is doing it. */
const SOON_MS = 5 * 86_400_000;

type Details = Pick<StatusReport, "waiting" | "warnings" | "certificates">;

export async function statusDetails({ store, clock, certificates }: StyrApiContext): Promise<Details> {
  const waiting = await waitingPods(store, clock);
  const warnings = await recentWarnings(store, clock);
  const ends = (certificates?.() ?? []).filter(({ endsAtMs }) => endsAtMs - clock.now() < SOON_MS);
  return {
    ...(waiting.length === 0 ? {} : { waiting }),
    ...(warnings.length === 0 ? {} : { warnings }),
    ...(ends.length === 0
      ? {}
      : { certificates: ends.map(({ name, endsAtMs }) => ({ name, endsAt: rfc3339(endsAtMs) })) }),
  };
}

async function waitingPods(store: Store, clock: Clock): Promise<NonNullable<StatusReport["waiting"]>> {
  const slice = slices(clock);
  const counts = new Map<string, number>();
  for (const pod of store.by(pods, "node", "")) {
    const words = refusalOf(pod);
    if (words !== undefined) counts.set(words, (counts.get(words) ?? 0) + 1);
    await slice();
  }
  const most = [...counts].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1));
  return most.slice(0, MOST_REASONS).map(([words, number]) => ({ words, pods: number }));
}

async function recentWarnings(store: Store, clock: Clock): Promise<readonly RecentWarning[]> {
  const slice = slices(clock);
  const since = rfc3339(clock.now() - RECENT_MS);
  const alike = new Map<string, { count: number; last: Event }>();
  for (const event of store.scan(events)) {
    await slice();
    if (event.type !== "Warning" || event.lastTimestamp < since) continue;
    const key = `${event.reason}\n${event.message}`;
    const known = alike.get(key);
    const last = known && known.last.lastTimestamp >= event.lastTimestamp ? known.last : event;
    alike.set(key, { count: (known?.count ?? 0) + event.count, last });
  }
  const newest = [...alike.values()].sort((a, b) => order(b.last, a.last));
  return newest.slice(0, MOST_ROWS).map(({ count, last }) => warningOf(last, count));
}

function order(a: Event, b: Event): number {
  if (a.lastTimestamp !== b.lastTimestamp) return a.lastTimestamp < b.lastTimestamp ? -1 : 1;
  return Number(a.metadata.resourceVersion) - Number(b.metadata.resourceVersion);
}

function warningOf({ reason, message, involvedObject, lastTimestamp }: Event, count: number): RecentWarning {
  const { kind, namespace, name } = involvedObject;
  const about = `${kind} ${namespace === undefined ? "" : `${namespace}/`}${name}`;
  return { reason, message, about, count, time: lastTimestamp };
}

/** From the worst on: what runs nowhere, what ends again and again, what has some of its copies. */
const TROUBLE = ["lost", "failed", "unplaced", "restarting", "pending", "degraded"];

/** Keeps the worst of all workloads that it is shown. */
export class Troubled {
  #rows: readonly TroubledWorkload[] = [];

  see({ name, status, error }: Workload): void {
    if (!TROUBLE.includes(status)) return;
    const row = { name, status, ...(error === undefined ? {} : { error }) };
    this.#rows = [...this.#rows, row].sort(byWeight).slice(0, MOST_ROWS);
  }

  get rows(): readonly TroubledWorkload[] {
    return this.#rows;
  }
}

function byWeight(a: TroubledWorkload, b: TroubledWorkload): number {
  return TROUBLE.indexOf(a.status) - TROUBLE.indexOf(b.status) || (a.name < b.name ? -1 : 1);
}
