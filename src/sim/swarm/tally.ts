import type { Change } from "../../store/transaction.ts";
import type { Observer, World } from "../contract.ts";

/** Counts what happened in a world. */
export class Tally implements Observer {
  /** Batches, as the disk took them. */
  commits = 0;
  /** In them: the last revision, for each change has one. */
  changes = 0;
  driverCalls = 0;
  readonly faults: Record<string, number> = {};

  /** Those of the world's opening came before anybody could look. */
  begin({ server }: World): void {
    this.commits = server.journal.appends;
    this.changes = server.store?.revision ?? 0;
  }

  committed(changes: readonly Change[]): void {
    this.commits++;
    this.changes = changes.at(-1)?.revision ?? this.changes;
  }

  driver(): void {
    this.driverCalls++;
  }

  fault(text: string): void {
    const kind = kindOf(text);
    this.faults[kind] = (this.faults[kind] ?? 0) + 1;
  }
}

/** `n003: the engine hangs for 1200 ms` → `the engine hangs for … ms`. */
export function kindOf(text: string): string {
  return text
    .replace(/^n\d+:? /, "")
    .replace(/^(killed|out of memory): .*/, "a container: $1")
    .replace(/\bn\d{3}\b/g, "a host")
    .replace(/-?\d+(\.\d+)?/g, "…");
}
