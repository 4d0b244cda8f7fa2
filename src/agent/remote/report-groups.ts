import type { NodeEvent, PodReport } from "../control.ts";

interface Group {
  readonly reports: readonly PodReport[];
  readonly events: readonly NodeEvent[];
}

/** Cuts a report into groups of about `chars` characters each, in their order; at least one. Events come with the first. */
export function groupsOf(
  reports: readonly PodReport[],
  events: readonly NodeEvent[],
  chars: number,
): readonly [Group, ...Group[]] {
  const later: PodReport[][] = [];
  const first: PodReport[] = [];
  let group = first;
  let size = 0;
  for (const report of reports) {
    const more = JSON.stringify(report).length;
    if (size > 0 && size + more > chars) {
      group = [];
      later.push(group);
      size = 0;
    }
    group.push(report);
    size += more;
  }
  return [{ reports: first, events }, ...later.map((some) => ({ reports: some, events: [] }))];
}
