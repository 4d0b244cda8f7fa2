import { withMembers } from "../../lib/with-members.ts";
import type { ServerMeters } from "../../metrics/server-metrics.ts";
import type { Clock } from "../../seams/clock.ts";
import type { Journal, JournalEntry } from "../../store/journal.ts";

/** The same journal, whose appends are counted and timed. */
export function meteredJournal<J extends Journal>(journal: J, clock: Clock, meters: ServerMeters): J {
  const changes = meters.counter("styr_journal_changes_total");
  const bytes = meters.counter("styr_journal_bytes_total");
  const refusals = meters.counter("styr_journal_refusals_total");
  const append = async (entries: readonly JournalEntry[]): Promise<void> => {
    const beganMs = clock.monotonic();
    try {
      await journal.append(entries);
    } catch (error) {
      refusals.value++;
      throw error;
    }
    meters.observe("styr_journal_append_duration_seconds", (clock.monotonic() - beganMs) / 1000);
    changes.value += entries.length;
    for (const { json } of entries) bytes.value += json?.length ?? 0;
  };
  return withMembers<J>(journal, { append } as Partial<J>);
}
