import { ClientError } from "../client/client-error.ts";
import { CliFailure, EXIT } from "./failure.ts";
import { Screen } from "./listing.ts";
import { plainLines } from "./plain-text.ts";
import { untilInterrupted } from "./session.ts";
import type { Terminal } from "./terminal.ts";

const LOOK_MS = 500;

export interface Followed<Report> {
  readonly read: () => Promise<Report>;
  /** True: there is nothing more to wait for. */
  readonly isOver: (report: Report, forMs: number) => boolean;
  /** Drawn again and again on a terminal; elsewhere a line whenever `line` reads differently and is not empty. */
  readonly drawn: (report: Report) => string;
  readonly line: (report: Report) => string;
  /** Said on Ctrl-C: what goes on without us, and what to do next. */
  readonly left: string;
  readonly next: string;
}

/** Shows how something on the server fares until it is over. A server that is away for a while is waited for: it goes on from what it stored. */
export async function follow<Report>(terminal: Terminal, followed: Followed<Report>): Promise<Report> {
  const { clock } = terminal;
  const interrupted = untilInterrupted();
  const screen = new Screen(terminal);
  let [said, sinceMs, isAway] = ["", clock.monotonic(), false];
  for (;;) {
    const answer = await looked(followed.read);
    if (answer) {
      const { report } = answer;
      const line = followed.line(report);
      if (line !== said) sinceMs = clock.monotonic();
      const isOver = followed.isOver(report, clock.monotonic() - sinceMs);
      if (terminal.isTerminal) screen.draw(isOver ? "" : plainLines(followed.drawn(report)));
      else if (line !== said && line !== "") terminal.err(`${plainLines(line)}\n`);
      if (isOver && terminal.isTerminal) screen.clear();
      if (isOver) return report;
      [said, isAway] = [line, false];
    } else if (!isAway) {
      isAway = true;
      terminal.err("the server does not answer; it goes on where it was when it is back\n");
    }
    if (interrupted.aborted) {
      if (terminal.isTerminal) screen.clear();
      throw new CliFailure(followed.left, { exitCode: EXIT.interrupted, next: followed.next });
    }
    await clock.sleep(LOOK_MS, interrupted).catch((reason: unknown) => {
      if (!interrupted.aborted) throw reason;
    });
  }
}

/** Undefined when there was no answer; a refusal is one. */
async function looked<Report>(read: () => Promise<Report>): Promise<{ readonly report: Report } | undefined> {
  try {
    return { report: await read() };
  } catch (error) {
    if (error instanceof ClientError && (error.status === undefined || error.status === 503)) return undefined;
    throw error;
  }
}
