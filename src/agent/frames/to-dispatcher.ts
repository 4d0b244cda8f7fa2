/** What an agent says to the dispatcher: JSON arrays that begin with one letter. */
import type { Heartbeat } from "../../model/heartbeat.ts";
import type { Call } from "./call.ts";
import { callOf, heartbeatOf } from "./checks.ts";
import { MOST_CALL_CHARS } from "./limits.ts";
import { count, FrameError, name, parseArray } from "./shape.ts";

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
  /** This node's rules are those of this revision of the network, as its stream counts. */
  | { readonly type: "applied"; readonly session: string; readonly stream: number; readonly revision: number }
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

export function appliedFrame(session: string, stream: number, revision: number): string {
  return `["a","${session}",${stream},${revision}]`;
}

export function dropFrame(session: string, stream: number): string {
  return `["d","${session}",${stream}]`;
}

export function signFrame(session: string): string {
  return `["s","${session}"]`;
}

/** Throws FrameError. */
export function parseToDispatcher(text: string): ToDispatcher {
  const frame = parseArray(text, MOST_CALL_CHARS);
  const [letter, second, third, fourth, fifth] = frame;
  switch (letter) {
    case "b":
      return { type: "beat", id: count(second), beat: heartbeatOf(third) };
    case "c":
      return {
        type: "call",
        session: name(second),
        id: count(third),
        floor: count(fourth),
        call: callOf(fifth, text.length),
      };
    case "g":
      return {
        type: "got",
        session: name(second),
        stream: count(third),
        sequence: count(fourth),
        isBehind: fifth === 1,
      };
    case "a":
      return { type: "applied", session: name(second), stream: count(third), revision: count(fourth) };
    case "d":
      return { type: "drop", session: name(second), stream: count(third) };
    case "s":
      return { type: "sign", session: name(second) };
    default:
      throw new FrameError("a frame of no known letter");
  }
}
