import type { NodeEvent, PodReport } from "../control.ts";
import { MOST_EVENTS, MOST_REPORT_CHARS, MOST_REPORTS } from "../frames/limits.ts";

/**
 * The JSON of the calls that make one report: about `chars` characters and no more than a bounded number of reports and
 * of events each, in their order; at least one.
 */
export function reportCalls(
  reports: readonly PodReport[],
  events: readonly NodeEvent[],
  chars: number,
): readonly string[] {
  const told = grouped(reports.map(reportText), chars, MOST_REPORTS);
  const happened = grouped(events.map(eventText), chars, MOST_EVENTS);
  return Array.from({ length: Math.max(1, told.length, happened.length) }, (_, at) => {
    const [some, others] = [told[at] ?? [], happened[at] ?? []];
    return `{"method":"report","reports":[${some.join(",")}],"events":[${others.join(",")}]}`;
  });
}

function grouped(texts: readonly string[], chars: number, most: number): readonly (readonly string[])[] {
  const groups: string[][] = [];
  let size = 0;
  for (const text of texts) {
    const last = groups.at(-1);
    if (last === undefined || size + text.length > chars || last.length >= most) {
      groups.push([text]);
      size = text.length;
    } else {
      last.push(text);
      size += text.length;
    }
  }
  return groups;
}

/** Longer words are cut where what is said of one pod, or of one event, is too much. */
const LONGEST_WORDS = 1_024;

/** What is too much to be taken is said in fewer words, and at the worst without its containers. */
function reportText(report: PodReport): string {
  const text = JSON.stringify(report);
  if (text.length <= MOST_REPORT_CHARS || report.status === "gone") return text;
  const brief = JSON.stringify(report, shorten);
  if (brief.length <= MOST_REPORT_CHARS) return brief;
  const { containerStatuses: _main, initContainerStatuses: _init, ...status } = report.status;
  return JSON.stringify({ ...report, status }, shorten);
}

function eventText(event: NodeEvent): string {
  return JSON.stringify(event, shorten);
}

function shorten(key: string, value: unknown): unknown {
  const isWords = key === "message" || key === "reason" || key === "lastFailureCause";
  return isWords && typeof value === "string" ? value.slice(0, LONGEST_WORDS) : value;
}
