import type { NodeEvent, PodReport } from "../control.ts";

/** The JSON of the calls that make one report: about `chars` characters each, in the reports' order; at least one. Events come with the first. */
export function reportCalls(
  reports: readonly PodReport[],
  events: readonly NodeEvent[],
  chars: number,
): readonly string[] {
  const groups: string[][] = [[]];
  let size = 0;
  for (const report of reports) {
    const text = JSON.stringify(report);
    if (size > 0 && size + text.length > chars) {
      groups.push([]);
      size = 0;
    }
    groups.at(-1)?.push(text);
    size += text.length;
  }
  return groups.map((group, at) => {
    const told = at === 0 ? JSON.stringify(events) : "[]";
    return `{"method":"report","reports":[${group.join(",")}],"events":${told}}`;
  });
}
