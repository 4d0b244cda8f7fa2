import { assert } from "../lib/assert.ts";
import { keyOf } from "../model/meta.ts";
import type { Pod } from "../model/pod.ts";
import type { PodHandle } from "./pod-handle.ts";
import { type Action, STAGE_MOVES, step } from "./pod-machine.ts";
import type { Now } from "./restart-rules.ts";

/** More steps than this without waiting: the machine runs in circles, which is a bug. */
const MOST_STEPS = 1000;

/** Whose turn it is. */
export interface Turned extends PodHandle {
  /** What the machine goes by, and changes by itself, is brought up to date. */
  refresh(): void;
  /** Has it carried out; what came of it is another turn. */
  perform(action: Exclude<Action, { type: "wait" | "move" }>, reason: string): void;
  /** What is being prepared is no longer wanted. */
  giveUp(why: string): void;
  saveSoon(): void;
}

/** Takes every step there is to take now. Says after how long there may be another, when time alone brings it. */
export function takeSteps(pod: Turned): number | undefined {
  for (let steps = 0; ; steps++) {
    assert(steps < MOST_STEPS, `the pod machine runs in circles for ${keyOf(pod.pod)} in ${pod.seen.stage}`);
    pod.refresh();
    const nowMs = pod.host.clock.monotonic();
    const { action, reason } = step(pod.pod, pod.seen, nowMs);
    if (action.type === "wait") return action.untilMs === undefined ? undefined : action.untilMs - nowMs;
    pod.host.log.debug("step", { pod: keyOf(pod.pod), action: action.type, reason });
    if (action.type === "move") move(pod, action, reason);
    else pod.perform(action, reason);
  }
}

function move(pod: Turned, { to, outcome }: Extract<Action, { type: "move" }>, reason: string): void {
  const from = pod.seen.stage;
  assert(to in STAGE_MOVES[from], `a move from ${from} to ${to}`);
  pod.setPod(({ trouble: _, ...rest }) => ({ ...rest, stage: to, ...(outcome === undefined ? {} : { outcome }) }));
  if (to === "finishing" || to === "stopping") pod.giveUp(reason);
  if (outcome?.phase === "Failed" && outcome.reason)
    pod.host.events.warning(pod.pod, outcome.reason, outcome.message ?? "");
  pod.saveSoon();
}

/** When its activeDeadlineSeconds are over, on the monotonic clock; undefined: it may run for ever. */
export function deadlineOf({ spec }: Pod, startedWallMs: number, { monoMs, wallMs }: Now): number | undefined {
  const seconds = spec.activeDeadlineSeconds;
  return seconds === undefined ? undefined : monoMs + startedWallMs + seconds * 1000 - wallMs;
}
