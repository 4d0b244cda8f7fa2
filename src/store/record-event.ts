import { createHash } from "node:crypto";
import { type Event, events, referenceTo } from "../model/event.ts";
import type { StoredObject } from "../model/meta.ts";
import { rfc3339 } from "../seams/clock.ts";
import type { Tx } from "./transaction.ts";

export interface Happening {
  readonly type: "Normal" | "Warning";
  readonly reason: string;
  readonly message: string;
  /** Who says so: `scheduler`, `agent`, `marathon`, … */
  readonly component: string;
  readonly host?: string;
}

const NAMESPACE_OF_CLUSTER_EVENTS = "default";
const LONGEST_MESSAGE = 1024;

/** Writes down that something happened to `about`. The same thing happening again counts up the event that is there. */
export function recordEvent(tx: Tx, about: StoredObject, happening: Happening): void {
  const { type, reason, component, host } = happening;
  const message = happening.message.slice(0, LONGEST_MESSAGE);
  const namespace = about.metadata.namespace ?? NAMESPACE_OF_CLUSTER_EVENTS;
  const digest = createHash("sha256")
    .update([about.metadata.uid, type, reason, message, component].join("\n"))
    .digest("hex");
  const name = `${about.metadata.name.slice(0, 200)}.${digest.slice(0, 16)}`;
  const now = rfc3339(tx.nowMs);
  const before = tx.get(events, `${namespace}/${name}`);
  if (before) {
    tx.update(events, { ...before, count: before.count + 1, lastTimestamp: now });
    return;
  }
  tx.create<Event>(events, {
    apiVersion: "v1",
    kind: "Event",
    metadata: { name, namespace },
    involvedObject: referenceTo(about),
    type,
    reason,
    message,
    source: { component, ...(host === undefined ? {} : { host }) },
    firstTimestamp: now,
    lastTimestamp: now,
    count: 1,
  });
}
