/** Forgets events that are old or too many: they are for people, and a store must not grow with what went by. */
import { type Event, events } from "../model/event.ts";
import { keyOf } from "../model/meta.ts";
import { type Controller, wakes } from "./controller.ts";

export interface EventLimits {
  readonly mostEvents: number;
  readonly maxAgeMs: number;
}

/** A day, where Kubernetes keeps an hour: what happened at night is still there in the morning. */
const EVENT_LIMITS: EventLimits = { mostEvents: 10_000, maxAgeMs: 24 * 3_600_000 };

/** Between two sweeps, however many events come: a sweep looks at all of them. */
const SWEEP_MS = 10_000;
const KEY = "events";
/** Removed in one transaction. */
const BATCH = 1000;

export function eventRetention(limits: EventLimits = EVENT_LIMITS): Controller {
  let nextSweepMs = 0;
  /** What the last sweep found and has not been removed yet: looking at all of them again for every batch takes minutes when there are hundreds of thousands. */
  let left: readonly Event[] = [];
  return {
    name: "event-retention",
    wakers: [wakes(events, (_event, _reader, { type }) => (type === "added" ? [KEY] : []))],
    reconcile(_key, tx) {
      if (left.length === 0) {
        // A clock that was set back must not stop the sweeping.
        if (tx.nowMs < nextSweepMs && nextSweepMs - tx.nowMs <= SWEEP_MS) return { afterMs: nextSweepMs - tx.nowMs };
        nextSweepMs = tx.nowMs + SWEEP_MS;
        const present = tx.list(events);
        left = planEventSweep(present, tx.nowMs, limits);
        if (left.length === 0) {
          return present.length > 0 ? { afterMs: untilDueMs(present, tx.nowMs, limits) } : undefined;
        }
      }
      // One that was seen again meanwhile is no longer the one that was to go.
      for (const event of left.slice(0, BATCH)) {
        if (tx.get(events, keyOf(event)) === event) tx.remove(events, keyOf(event));
      }
      left = left.slice(BATCH);
      return { afterMs: left.length > 0 ? 0 : SWEEP_MS };
    },
  };
}

/** Which events go: those last seen too long ago, then the oldest of those above the count. Pure. */
export function planEventSweep(present: readonly Event[], nowMs: number, limits: EventLimits): readonly Event[] {
  const aged = present.map((event) => ({ event, seenMs: lastSeenMs(event) }));
  aged.sort((a, b) => a.seenMs - b.seenMs || (keyOf(a.event) < keyOf(b.event) ? -1 : 1));
  const tooMany = Math.max(0, aged.length - limits.mostEvents);
  return aged.filter(({ seenMs }, at) => at < tooMany || nowMs - seenMs > limits.maxAgeMs).map(({ event }) => event);
}

/** When the oldest will be too old. What comes until then wakes the controller; what is seen again only makes it later. */
function untilDueMs(present: readonly Event[], nowMs: number, { maxAgeMs }: EventLimits): number {
  let oldestMs = nowMs;
  for (const event of present) oldestMs = Math.min(oldestMs, Math.max(lastSeenMs(event), nowMs - maxAgeMs));
  return Math.max(SWEEP_MS, oldestMs + maxAgeMs - nowMs);
}

/** Events of other writers may leave out what ours always have. */
function lastSeenMs({ lastTimestamp, metadata }: Event): number {
  const parsed = Date.parse(lastTimestamp ?? metadata.creationTimestamp);
  return Number.isNaN(parsed) ? Date.parse(metadata.creationTimestamp) : parsed;
}
