/** How `styr up` talks to the person who started it. */
export interface UpIo {
  /** One line for people. */
  say(line: string): void;
  /** Aborts when the person wants to stop. */
  readonly signal: AbortSignal;
}
