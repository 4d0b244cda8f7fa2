/** Marathon's times and versions: ISO 8601 in UTC with milliseconds, `2015-09-25T15:13:48.343Z`. */
export function timestamp(ms: number): string {
  return new Date(ms).toISOString();
}

/** Undefined when it is not a time. */
export function parseTimestamp(text: string): number | undefined {
  const ms = Date.parse(text);
  return Number.isNaN(ms) ? undefined : ms;
}
