/** Exit codes of every command: 0 done, 1 failed, 2 not placed, 130 Ctrl-C while it waited. `exec` gives the command's own. */
export const EXIT = { done: 0, failed: 1, notPlaced: 2, interrupted: 130 } as const;

/** Ends the command with a message for people and an exit code. */
export class CliFailure extends Error {
  override readonly name = "CliFailure";
  readonly exitCode: number;
  readonly next: string | undefined;

  /** An empty message ends the command without another word: everything was said. */
  constructor(message: string, more: { readonly exitCode?: number; readonly next?: string } = {}) {
    super(message);
    this.exitCode = more.exitCode ?? EXIT.failed;
    this.next = more.next;
  }
}
