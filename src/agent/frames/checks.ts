/** What other parts of the control plane would stumble over, were it not as the model says. */
import type { Heartbeat } from "../../model/heartbeat.ts";
import type { Call } from "./call.ts";
import { count, FrameError, list, record, word } from "./shape.ts";

const HEALTH: readonly unknown[] = [
  ...["ok", "io-stalled", "engine-silent", "keeper-silent", "memory-pressure", "agent-stalled"],
];

export function heartbeatOf(value: unknown): Heartbeat {
  const beat = record(value);
  word(beat.node);
  word(beat.bootId);
  word(beat.session);
  count(beat.sequence);
  if (!HEALTH.includes(beat.health)) throw new FrameError("a heartbeat without a health word");
  if (beat.message !== undefined) word(beat.message);
  return beat as unknown as Heartbeat;
}

const REASONS: readonly unknown[] = ["agent-restart", "reboot"];
const KINDS: readonly unknown[] = ["Secret", "ConfigMap"];

export function callOf(value: unknown): Call {
  const call = record(value);
  switch (call.method) {
    case "register":
      checkNode(record(call.node));
      break;
    case "report":
      list(call.reports).forEach(checkReport);
      list(call.events).forEach(checkEvent);
      break;
    case "values":
      if (!KINDS.includes(call.kind)) throw new FrameError("values of an unknown kind");
      word(call.namespace);
      word(call.name);
      break;
    case "goodbye": {
      const goodbye = record(call.goodbye);
      word(goodbye.node);
      word(goodbye.session);
      if (!REASONS.includes(goodbye.why)) throw new FrameError("a goodbye without a reason");
      break;
    }
    case "watch":
      count(call.stream);
      word(call.node);
      break;
    default:
      throw new FrameError("a call of no known method");
  }
  return call as unknown as Call;
}

function checkNode(node: Readonly<Record<string, unknown>>): void {
  const status = record(node.status);
  word(record(node.metadata).name);
  record(node.spec);
  for (const amounts of [record(status.capacity), record(status.allocatable)]) Object.values(amounts).forEach(word);
  list(status.conditions).forEach(checkCondition);
  for (const address of list(status.addresses)) word(record(address).address);
  word(record(status.nodeInfo).machineID);
  for (const driver of Object.values(record(status.drivers))) record(driver);
  list(status.dynamicPorts).forEach(count);
}

const PHASES: readonly unknown[] = ["Pending", "Running", "Succeeded", "Failed", "Unknown"];

function checkReport(value: unknown): void {
  const report = record(value);
  word(report.key);
  word(report.uid);
  if (report.status === "gone") return;
  const status = record(report.status);
  if (!PHASES.includes(status.phase)) throw new FrameError("a status without a phase");
  listIf(status.conditions).forEach(checkCondition);
  for (const { ip } of listIf(status.podIPs).map(record)) word(ip);
  listIf(status.containerStatuses).forEach(checkContainer);
  listIf(status.initContainerStatuses).forEach(checkContainer);
}

function checkContainer(value: unknown): void {
  const container = record(value);
  word(container.name);
  count(container.restartCount);
  record(container.state);
}

function listIf(value: unknown): readonly unknown[] {
  return value === undefined ? [] : list(value);
}

function checkCondition(value: unknown): void {
  const condition = record(value);
  word(condition.type);
  word(condition.status);
}

function checkEvent(value: unknown): void {
  const event = record(value);
  for (const text of [event.podKey, event.podUid, event.reason, event.message]) word(text);
  if (event.type !== "Normal" && event.type !== "Warning") throw new FrameError("an event of no known type");
}
