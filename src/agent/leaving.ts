import type { PodRecord } from "./local-record.ts";
import type { Now } from "./restart-rules.ts";

export type Leaving = NonNullable<PodRecord["leaving"]>;

/** When a pod that is to go, and was perhaps asked before, has to have stopped. Asking again may shorten the time, never lengthen it. Pure. */
export function leavingBy(
  asked: Leaving,
  before: Leaving | undefined,
  { monoMs, wallMs }: Now,
): { readonly leaving: Leaving; readonly byMs: number } {
  // A wall clock that jumped must not make the grace longer than it was.
  const leftMs = Math.min(asked.graceMs, Math.max(0, (asked.byWallMs ?? wallMs + asked.graceMs) - wallMs));
  const byWallMs = Math.min(wallMs + leftMs, before?.byWallMs ?? Number.POSITIVE_INFINITY);
  const report = asked.report || before?.report === true;
  return { leaving: { ...asked, byWallMs, report }, byMs: monoMs + leftMs };
}
