/** Conditions, and what an agent says of its pods: as the model has it, or not at all. Readers everywhere rely on it. */
import type { Check } from "./shape.ts";
import {
  count,
  FrameError,
  flag,
  integer,
  list,
  moment,
  oneOf,
  optional,
  place,
  record,
  shaped,
  word,
} from "./shape.ts";

const STATUSES = ["True", "False", "Unknown"];
const PHASES = ["Pending", "Running", "Succeeded", "Failed", "Unknown"];
const QOS = ["Guaranteed", "Burstable", "BestEffort"];
const LOADS = ["loaded", "not-found", "error", "bad-setting", "masked"];
const ACTIVES = ["active", "reloading", "inactive", "failed", "activating", "deactivating"];

const listOf = (check: Check) => (value: unknown) => list(value).forEach(check);

export const condition = shaped({
  type: word,
  status: oneOf(STATUSES),
  reason: optional(word),
  message: optional(word),
  lastTransitionTime: optional(moment),
});

const state = shaped({
  waiting: optional(shaped({ reason: word, message: optional(word) })),
  running: optional(shaped({ startedAt: moment })),
  terminated: optional(
    shaped({
      exitCode: integer,
      signal: optional(integer),
      reason: word,
      message: optional(word),
      startedAt: optional(moment),
      finishedAt: optional(moment),
      containerID: optional(word),
    }),
  ),
});

const healthResult = shaped({
  alive: flag,
  consecutiveFailures: count,
  firstSuccess: optional(moment),
  lastSuccess: optional(moment),
  lastFailure: optional(moment),
  lastFailureCause: optional(word),
});

const unit = shaped({
  load: oneOf(LOADS),
  active: oneOf(ACTIVES),
  sub: word,
  result: optional(word),
  message: optional(word),
});

const child = shaped({
  id: word,
  name: word,
  image: word,
  state: word,
  ports: optional(listOf(shaped({ containerPort: count, hostPort: count, protocol: word }))),
  address: optional(word),
});

const container = shaped({
  name: word,
  state,
  lastState: optional(state),
  ready: flag,
  started: optional(flag),
  restartCount: count,
  image: word,
  imageID: word,
  containerID: optional(word),
  healthResults: optional(listOf(healthResult)),
  unit: optional(unit),
  children: optional(listOf(child)),
});

const podStatus = shaped({
  phase: oneOf(PHASES),
  conditions: optional(listOf(condition)),
  reason: optional(word),
  message: optional(word),
  hostIP: optional(place),
  podIP: optional(place),
  podIPs: optional(listOf(shaped({ ip: place }))),
  startTime: optional(moment),
  qosClass: optional(oneOf(QOS)),
  containerStatuses: optional(listOf(container)),
  initContainerStatuses: optional(listOf(container)),
});

/** Throws FrameError. */
export function checkReport(value: unknown): void {
  const report = record(value);
  word(report.key);
  word(report.uid);
  if (report.status !== "gone") podStatus(report.status);
}

export function checkEvent(value: unknown): void {
  const event = record(value);
  for (const text of [event.podKey, event.podUid, event.reason, event.message]) word(text);
  if (event.type !== "Normal" && event.type !== "Warning") throw new FrameError("an event of no known type");
}
