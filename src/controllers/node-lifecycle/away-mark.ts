/**
 * That a node said goodbye, on its object: who was promised time is given it also by a control plane that starts
 * meanwhile. Pure.
 */
import type { Goodbye } from "../../model/heartbeat.ts";
import type { Node } from "../../model/node.ts";
import { rfc3339 } from "../../seams/clock.ts";

/** `reboot until 2026-01-01T00:03:00Z`. */
export const AWAY_ANNOTATION = "styrmann.dev/away";

export interface Away {
  readonly why: Goodbye["why"];
  /** Wall time. */
  readonly untilMs: number;
}

export function withAway(node: Node, { why, untilMs }: Away): Node {
  // Whole seconds, and never earlier than was promised.
  const until = rfc3339(Math.ceil(untilMs / 1000) * 1000);
  const annotations = { ...node.metadata.annotations, [AWAY_ANNOTATION]: `${why} until ${until}` };
  return { ...node, metadata: { ...node.metadata, annotations } };
}

/** Gives the same object when it says nothing of it. */
export function withoutAway(node: Node): Node {
  if (node.metadata.annotations?.[AWAY_ANNOTATION] === undefined) return node;
  const { [AWAY_ANNOTATION]: _, ...annotations } = node.metadata.annotations;
  return { ...node, metadata: { ...node.metadata, annotations } };
}

/** Undefined when it said none, or one whose time is over. */
export function awayOf({ metadata }: Node, nowMs: number): Away | undefined {
  const [, why, until = ""] =
    /^(agent-restart|reboot) until (\S+)$/.exec(metadata.annotations?.[AWAY_ANNOTATION] ?? "") ?? [];
  const untilMs = Date.parse(until);
  return untilMs > nowMs ? { why: why as Goodbye["why"], untilMs } : undefined;
}
