/** Spans that go on while the control plane may end: stored so often that the wall clock is needed for little. Pure. */

/** A span is stored again when it has grown by so much. */
export const STEP_MS = 60_000;

/** What passed by the wall clock since it was stored, unless that is more, or less, than can have passed meanwhile. */
export function believed(passedMs: number, mostMs: number): number {
  return passedMs >= 0 && passedMs <= mostMs ? passedMs : 0;
}
