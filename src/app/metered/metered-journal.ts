import { withMembers } from "../../lib/with-members.ts";
import type { ServerMeters } from "../../metrics/server-metrics.ts";
import type { Clock } from "../../seams/clock.ts";
import type { Journal, JournalEntry } from "../../store/journal.ts";

/** The same journal, whose appends are counted and timed. */
export function meteredJournal<J extends Journal>(journal: J, clock: Clock, meters: ServerMeters): J {
  const changes = meters.counter("styr_journal_changes_total");
  const bytes = meters.counter("styr_journal_bytes_total");
  const refusals = meters.counter("styr_journal_refusals_total");
  const taken = (entries: readonly JournalEntry[], beganMs: number) => {
    meters.observe("styr_journal_append_duration_seconds", (clock.monotonic() - beganMs) / 1000);
    changes.value += entries.length;
    for (const { json } of entries) bytes.value += json?.length ?? 0;
  };
  const append = (entries: readonly JournalEntry[]): Promise<void> => {
    const beganMs = clock.monotonic();
    const appended = journal.append(entries);
    // Counted beside the way of the answer, not on it: the store hears when the journal speaks.
    void appended.then(
      () => taken(entries, beganMs),
      () => refusals.value++,
    );
    return appended;
  };
  return withMembers<J>(journal, { append } as Partial<J>);
}
