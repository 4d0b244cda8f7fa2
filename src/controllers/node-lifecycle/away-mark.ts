/**
 * That a node said goodbye, on its object: who was promised time is given it also by a control plane that starts
 * meanwhile. Pure.
 */
import type { Goodbye } from "../../model/heartbeat.ts";
import type { Node } from "../../model/node.ts";
import { rfc3339 } from "../../seams/clock.ts";
import { believed, STEP_MS } from "./believed.ts";

/** `reboot until 2026-01-01T00:03:00Z as of 2026-01-01T00:00:00Z`. */
export const AWAY_ANNOTATION = "styrmann.dev/away";

export interface Away {
  readonly why: Exclude<Goodbye["why"], "down">;
  /** Wall time. */
  readonly untilMs: number;
  /** When that was written: if it is long ago, or not yet, then the wall clock has jumped or nobody ran. */
  readonly asOfMs: number;
}

export function withAway(node: Node, { why, untilMs, asOfMs }: Away): Node {
  // Whole seconds, and never earlier than was promised.
  const until = rfc3339(Math.ceil(untilMs / 1000) * 1000);
  const annotations = {
    ...node.metadata.annotations,
    [AWAY_ANNOTATION]: `${why} until ${until} as of ${rfc3339(asOfMs)}`,
  };
  return { ...node, metadata: { ...node.metadata, annotations } };
}

/** Gives the same object when it says nothing of it. */
export function withoutAway(node: Node): Node {
  if (node.metadata.annotations?.[AWAY_ANNOTATION] === undefined) return node;
  const { [AWAY_ANNOTATION]: _, ...annotations } = node.metadata.annotations;
  return { ...node, metadata: { ...node.metadata, annotations } };
}

/** Undefined when it said none. */
export function awayOf({ metadata }: Node): Away | undefined {
  const [, why, until = "", asOf = ""] =
    /^(agent-restart|reboot) until (\S+) as of (\S+)$/.exec(metadata.annotations?.[AWAY_ANNOTATION] ?? "") ?? [];
  return why ? { why: why as Away["why"], untilMs: Date.parse(until), asOfMs: Date.parse(asOf) } : undefined;
}

/** How much of its time is left, with what has passed since it was written if that can be believed. */
export function leftMs({ untilMs, asOfMs }: Away, nowMs: number): number {
  return untilMs - asOfMs - believed(nowMs - asOfMs, 2 * STEP_MS);
}
