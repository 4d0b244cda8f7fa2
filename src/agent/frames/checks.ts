/** What other parts of the control plane would stumble over, were it not as the model says. */
import { isDeeperThan } from "../../lib/nesting.ts";
import type { Heartbeat } from "../../model/heartbeat.ts";
import type { Call } from "./call.ts";
import { checkNode } from "./check-node.ts";
import { checkEvent, checkReport } from "./check-status.ts";
import { DEEPEST, MOST_EVENTS, MOST_HEALTH_CHARS, MOST_REPORT_CHARS, MOST_REPORTS } from "./limits.ts";
import { count, FrameError, list, name, record, word } from "./shape.ts";

const HEALTH: readonly unknown[] = [
  ...["ok", "io-stalled", "engine-silent", "keeper-silent", "memory-pressure", "disk-pressure", "agent-stalled"],
];

/** Only what is known of it: a heartbeat is kept in memory. */
export function heartbeatOf(value: unknown): Heartbeat {
  const { node, bootId, session, sequence, health, message } = record(value);
  if (!HEALTH.includes(health)) throw new FrameError("a heartbeat without a health word");
  if (message !== undefined && word(message).length > MOST_HEALTH_CHARS)
    throw new FrameError("too long a health message");
  const who = { node: name(node), bootId: name(bootId), session: name(session), sequence: count(sequence) };
  return { ...who, health, ...(message === undefined ? {} : { message }) } as Heartbeat;
}

const REASONS: readonly unknown[] = ["agent-restart", "reboot", "down"];
const KINDS: readonly unknown[] = ["Secret", "ConfigMap"];

/** `chars`: of the frame that it came in. */
export function callOf(value: unknown, chars: number): Call {
  if (isDeeperThan(value, DEEPEST)) throw new FrameError(`a call that nests deeper than ${DEEPEST}`);
  const call = record(value);
  switch (call.method) {
    case "register":
      checkNode(call.node);
      break;
    case "report":
      checkReports(list(call.reports), list(call.events), chars);
      break;
    case "values":
      if (!KINDS.includes(call.kind)) throw new FrameError("values of an unknown kind");
      name(call.namespace);
      name(call.name);
      break;
    case "goodbye": {
      const goodbye = record(call.goodbye);
      name(goodbye.node);
      name(goodbye.session);
      if (!REASONS.includes(goodbye.why)) throw new FrameError("a goodbye without a reason");
      break;
    }
    case "watch":
      count(call.stream);
      name(call.node);
      break;
    case "network":
      count(call.stream);
      if (call.reads !== undefined) name(call.reads);
      if (call.has !== undefined) word(call.has);
      break;
    default:
      throw new FrameError("a call of no known method");
  }
  return call as unknown as Call;
}

function checkReports(reports: readonly unknown[], events: readonly unknown[], chars: number): void {
  if (reports.length > MOST_REPORTS) throw new FrameError(`more than ${MOST_REPORTS} reports in a call`);
  if (events.length > MOST_EVENTS) throw new FrameError(`more than ${MOST_EVENTS} events in a call`);
  reports.forEach(checkReport);
  events.forEach(checkEvent);
  if (chars <= MOST_REPORT_CHARS) return;
  for (const report of reports) {
    if (JSON.stringify(report).length > MOST_REPORT_CHARS)
      throw new FrameError(`a report of more than ${MOST_REPORT_CHARS} characters`);
  }
}
