/**
 * What a control plane that starts has to know of a node beside what everybody sees: annotations of its object. Spans are
 * as a control plane counted them itself: wall time may jump while none runs. Pure.
 */
import type { ClusterSettingsSpec } from "../../model/cluster-settings.ts";
import type { Node } from "../../model/node.ts";
import { rfc3339 } from "../../seams/clock.ts";
import { awayOf, withAway, withoutAway } from "./away-mark.ts";
import { believed, STEP_MS } from "./believed.ts";
import { isAway, type Lease } from "./lease.ts";
import { told } from "./listening.ts";
import type { Standing } from "./node-marks.ts";

/** A person said that its silence is real, then. */
export const RELEASED_ANNOTATION = "styrmann.dev/released";
/** `16 s`: listened for so long, without hearing it, and heard others. */
export const UNHEARD_ANNOTATION = "styrmann.dev/unheard";
/** `600 s as of 2026-01-01T00:00:00Z`. */
export const UNREACHABLE_FOR_ANNOTATION = "styrmann.dev/unreachable-for";

export function isReleased(node: Node): boolean {
  return noteOf(node, RELEASED_ANNOTATION) !== undefined;
}

export function unheardMs(node: Node): number {
  return Number(/^(\d+) s$/.exec(noteOf(node, UNHEARD_ANNOTATION) ?? "")?.[1] ?? 0) * 1000;
}

/** How long it has been unreachable, of `wallMs` by the wall clock: never more than is known to have passed. */
export function unreachableForMs(node: Node, nowMs: number, wallMs: number): number {
  const [, seconds, asOf = ""] = /^(\d+) s as of (\S+)$/.exec(noteOf(node, UNREACHABLE_FOR_ANNOTATION) ?? "") ?? [];
  if (seconds === undefined) return Math.min(Math.max(0, wallMs), STEP_MS);
  const countedMs = Number(seconds) * 1000;
  return countedMs + believed(nowMs - Date.parse(asOf), 2 * stepMs(countedMs));
}

/** Of a long span a tenth of it. */
function stepMs(countedMs: number): number {
  return Math.max(STEP_MS, countedMs / 10);
}

export interface Noted {
  readonly node: Node;
  /** Monotonic: when there is more to note. */
  readonly againMs: number;
}

/** Gives the same object when it says so already. */
export function noteAll(
  node: Node,
  lease: Lease,
  now: { readonly nowMs: number; readonly wallMs: number; readonly standing: Standing | undefined },
  settings: ClusterSettingsSpec,
): Noted {
  const { nowMs, wallMs, standing } = now;
  const unheard = told(lease, settings);
  const released = noteOf(node, RELEASED_ANNOTATION) ?? rfc3339(wallMs);
  let noted = withNote(node, RELEASED_ANNOTATION, lease.released ? released : undefined);
  noted = withNote(noted, UNHEARD_ANNOTATION, unheard > 0 ? `${unheard / 1000} s` : undefined);
  noted = withNote(noted, UNREACHABLE_FOR_ANNOTATION, unreachableText(node, lease, nowMs, wallMs));
  if (!isAway(lease, nowMs)) return again(standing === "up" ? withoutAway(noted) : noted, lease, nowMs);
  const away = awayOf(node);
  const untilMs = wallMs + lease.graceMs - nowMs;
  const isOld = away && Math.abs(wallMs - away.asOfMs) >= STEP_MS;
  return { node: isOld ? withAway(noted, { ...away, untilMs, asOfMs: wallMs }) : noted, againMs: nowMs + STEP_MS };
}

function again(node: Node, { loss }: Lease, nowMs: number): Noted {
  return { node, againMs: loss ? nowMs + stepMs(nowMs - loss.sinceMs) : Number.POSITIVE_INFINITY };
}

function unreachableText(node: Node, { loss }: Lease, nowMs: number, wallMs: number): string | undefined {
  if (!loss) return undefined;
  const forMs = nowMs - loss.sinceMs;
  const before = noteOf(node, UNREACHABLE_FOR_ANNOTATION);
  const countedMs = Number.parseInt(before ?? "", 10) * 1000;
  if (forMs - countedMs < stepMs(countedMs)) return before;
  return `${Math.floor(forMs / 1000)} s as of ${rfc3339(wallMs)}`;
}

function noteOf({ metadata }: Node, key: string): string | undefined {
  return metadata.annotations?.[key];
}

function withNote(node: Node, key: string, text: string | undefined): Node {
  if (noteOf(node, key) === text) return node;
  const { [key]: _, ...others } = node.metadata.annotations ?? {};
  const annotations = text === undefined ? others : { ...others, [key]: text };
  return { ...node, metadata: { ...node.metadata, annotations } };
}
