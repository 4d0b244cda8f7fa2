/** What an agent says to the dispatcher: JSON arrays that begin with one letter. */
import type { Goodbye, Heartbeat } from "../../model/heartbeat.ts";
import type { Draft } from "../../model/meta.ts";
import type { Node } from "../../model/node.ts";
import type { NodeEvent, PodReport } from "../control.ts";
import { count, FrameError, list, parseArray, record, word } from "./shape.ts";

export type Call =
  | { readonly method: "register"; readonly node: Draft<Node> }
  | { readonly method: "report"; readonly reports: readonly PodReport[]; readonly events: readonly NodeEvent[] }
  | {
      readonly method: "values";
      readonly kind: "Secret" | "ConfigMap";
      readonly namespace: string;
      readonly name: string;
    }
  | { readonly method: "goodbye"; readonly goodbye: Goodbye }
  /** Opens the stream of this number: everything bound to the node, then what changes. */
  | { readonly method: "watch"; readonly stream: number; readonly node: string };

/** `session` names one run of one agent's side; it outlives a link. */
export type ToDispatcher =
  | { readonly type: "beat"; readonly id: number; readonly beat: Heartbeat }
  /** `floor`: the agent waits for no answer to a call below this number any more. */
  | {
      readonly type: "call";
      readonly session: string;
      readonly id: number;
      readonly floor: number;
      readonly call: Call;
    }
  /** Everything up to `sequence` of the stream has arrived; `isBehind`: something after it has not. */
  | {
      readonly type: "got";
      readonly session: string;
      readonly stream: number;
      readonly sequence: number;
      readonly isBehind: boolean;
    }
  | { readonly type: "drop"; readonly session: string; readonly stream: number }
  /** Nothing but that the agent is there. */
  | { readonly type: "sign"; readonly session: string };

export function beatFrame(id: number, beat: Heartbeat): string {
  return `["b",${id},${JSON.stringify(beat)}]`;
}

/** `callText` is the call's JSON, which a repetition need not make anew. */
export function callFrame(session: string, id: number, floor: number, callText: string): string {
  return `["c","${session}",${id},${floor},${callText}]`;
}

export function gotFrame(session: string, stream: number, sequence: number, isBehind: boolean): string {
  return `["g","${session}",${stream},${sequence},${isBehind ? 1 : 0}]`;
}

export function dropFrame(session: string, stream: number): string {
  return `["d","${session}",${stream}]`;
}

export function signFrame(session: string): string {
  return `["s","${session}"]`;
}

/** Throws FrameError. What is inside a call's node and statuses is the model's business. */
export function parseToDispatcher(text: string): ToDispatcher {
  const frame = parseArray(text);
  const [letter, second, third, fourth, fifth] = frame;
  switch (letter) {
    case "b":
      return { type: "beat", id: count(second), beat: heartbeatOf(third) };
    case "c":
      return { type: "call", session: word(second), id: count(third), floor: count(fourth), call: callOf(fifth) };
    case "g":
      return {
        type: "got",
        session: word(second),
        stream: count(third),
        sequence: count(fourth),
        isBehind: fifth === 1,
      };
    case "d":
      return { type: "drop", session: word(second), stream: count(third) };
    case "s":
      return { type: "sign", session: word(second) };
    default:
      throw new FrameError("a frame of no known letter");
  }
}

const HEALTH: readonly unknown[] = ["ok", "io-stalled", "engine-silent", "memory-pressure", "agent-stalled"];

function heartbeatOf(value: unknown): Heartbeat {
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

function callOf(value: unknown): Call {
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
  list(status.addresses);
  word(record(status.nodeInfo).machineID);
  record(status.drivers);
}

const PHASES: readonly unknown[] = ["Pending", "Running", "Succeeded", "Failed", "Unknown"];

function checkReport(value: unknown): void {
  const report = record(value);
  word(report.key);
  word(report.uid);
  if (report.status === "gone") return;
  const status = record(report.status);
  if (!PHASES.includes(status.phase)) throw new FrameError("a status without a phase");
  if (status.conditions !== undefined) list(status.conditions).forEach(checkCondition);
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
