import type { AuditEntry } from "../model/user-reports.ts";

/** The part of an audit log that is asked here; src/audit keeps it. */
export interface AuditReader {
  /** The newest first. */
  entries(): AsyncIterable<AuditEntry>;
  follow(signal: AbortSignal): AsyncGenerator<AuditEntry, void, undefined>;
}
