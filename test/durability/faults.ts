import { setTimeout as delay } from "node:timers/promises";
import type { Journal, JournalEntry } from "../../src/store/journal.ts";

/** What a journal may get wrong, planted so that the checker proves it would see it. */
export type Fault = "none" | "acknowledges before writing" | "writes a transaction in pieces";

const LATE_MS = 20;

export function faulty(journal: Journal, fault: Fault): Journal {
  const rest = { load: () => journal.load(), close: () => journal.close() };
  switch (fault) {
    case "none":
      return journal;
    case "acknowledges before writing":
      return {
        ...rest,
        append: async (entries) => void delay(LATE_MS).then(() => journal.append(entries)),
      };
    case "writes a transaction in pieces":
      return {
        ...rest,
        append: async (entries: readonly JournalEntry[]) => {
          for (const entry of entries) await journal.append([entry]);
        },
      };
  }
}
