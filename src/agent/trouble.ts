import { DriverError } from "../drivers/driver.ts";
import { AssertionFailure } from "../lib/assert.ts";
import { backoffMs } from "../lib/backoff.ts";
import { ConfigurationError } from "./configuration-error.ts";
import { TEMPORARY_BACKOFF, TROUBLE_BACKOFF } from "./restart-rules.ts";
import type { Trouble } from "./seen.ts";

/** Writes down a failure and when to try again. Bugs go on to stop the program. */
export function troubleOf(error: unknown, before: Trouble | undefined, usual: string, nowMs: number): Trouble {
  if (error instanceof AssertionFailure) throw error;
  const count = (before?.count ?? 0) + 1;
  const message = wordsOf(error);
  const rules = isPassing(error) ? TEMPORARY_BACKOFF : TROUBLE_BACKOFF;
  return { reason: reasonOf(error, count, usual), message, count, retryAtMs: nowMs + backoffMs(rules, count) };
}

/** The kernel's words name neither the disk nor whose it is; the text is all that is left of them when it was the keeper's. */
function wordsOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  if (!/\b(ENOSPC|EDQUOT)\b/.test(message)) return message;
  const { path } = error as NodeJS.ErrnoException;
  const where = path === undefined || message.includes(path) ? "" : ` ${path}`;
  return `the disk of the host that it was given to is full: ${message}${where}`;
}

/** An engine that is away comes back; a registry that has no such image, or that nobody finds, is asked as seldom as Kubernetes does. */
function isPassing(error: unknown): boolean {
  return error instanceof DriverError ? error.temporary && error.reason !== "ErrImagePull" : true;
}

/** Kubernetes says ErrImagePull for the first failure and ImagePullBackOff while it waits to try again. */
function reasonOf(error: unknown, count: number, usual: string): string {
  if (error instanceof ConfigurationError) return usual === "FailedMount" ? usual : "CreateContainerConfigError";
  if (!(error instanceof DriverError)) return usual;
  return error.reason === "ErrImagePull" && count > 1 ? "ImagePullBackOff" : error.reason;
}
